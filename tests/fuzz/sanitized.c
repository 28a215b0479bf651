/* Changes objects and has uniform.c read them, compiled with sanitizers: see sanitized.py, which speaks to it.

   Standard input: the number of sensors, each one's limits and name, then objects: sizes, fields of the first line, text.
   Standard output: the changed objects that are taken. Each text lies alone in memory, so that a byte beyond it counts. */

#include "uniform.c"
#include <stdio.h>

enum { CHANGES = 3, LINE = 4096, OTHERS = 64 };
struct sensor { int32_t size; double low, high; } __attribute__((packed));
struct object { int32_t size, line, fields; };

static const char *const PIECES[] = {
    "\"", "\\", "{", "}", "[", "]", ",", ":", "\n", "\r\n", "\n\n", "", "\xff", "\xef\xbb\xbf", " ", "\t", "\x7f", ".", "-",
    "+", "e", "E", "/", "null", "NaN", "-0.0", "-0", "1e5", "1e400", "00", "0.30000000000000004", "9007199254740993",
    "123456789012345678901234567890", "18446744073709551616", "0000000000000000000000000000000000001", "-999", "1e20",
    "65535", "T", "Z", "+09:00", "60", "temp", "Temp", "voc", "59.999999", "30:00", "\n{", "\n}", "}{",
};

static uint64_t state;

static size_t below(size_t limit)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (size_t)(state % limit);
}

/* One change behind the first line, or within one of its fields, whose places Python has found; the new size. */
static size_t change(char *text, size_t size, const struct object *object, const struct field *fields)
{
    size_t begin = (size_t)object->line + 1, at = begin + below(size - begin), left = size - at, count = 1 + below(4);
    const struct field *field = fields + below((size_t)object->fields);
    const char *piece = PIECES[below(sizeof PIECES / sizeof *PIECES)];
    char span[LINE];
    count = count < left ? count : left;
    switch (below(10)) {
    case 0:
        if (field->end > field->start)
            text[(size_t)field->start + below((size_t)(field->end - field->start))] = (char)('0' + below(10));
        return size;
    case 1:
        text[at] = (char)below(256);
        return size;
    case 2:
        memmove(text + at, text + at + count, left - count);
        return size - count;
    case 3:
        return at;
    case 4:
        count = 1 + below((size_t)object->line);
        piece = memcpy(span, text + at, count = count < left ? count : left);
        break;
    case 5:
    case 6:
        count = *piece ? strlen(piece) : 1;
        break;
    default:
        while (at < size && !is_digit(text[at]))
            at++;
        if (at < size)
            text[at] = (char)('0' + below(10));
        return size;
    }
    memmove(text + at + count, text + at, left);
    memcpy(text + at, piece, count);
    return size + count;
}

static int got(void *target, size_t size) { return !size || fread(target, size, 1, stdin) == 1; }

static void *room(size_t size)
{
    void *memory = malloc(size);
    if (!memory)
        exit(2);
    return memory;
}

/* Whether the object is taken; what it is read into is as large as it has to be. */
static int is_taken(const char *body, size_t size, const struct object *object, const struct field *fields,
                    const struct type *known, int32_t sensors)
{
    char *text = room(size + 1);
    struct type *types = room(sizeof *types * (size_t)(sensors + OTHERS));
    double *row = room(sizeof *row * STATISTICS * (size_t)sensors);
    int64_t same = object->line;
    memcpy(text, body, size), text[size] = 0;
    memcpy(types, known, sizeof *types * (size_t)sensors);
    for (int i = 0; i < object->fields; i++)
        same -= fields[i].end - fields[i].start;
    int count = monitory_uniform_hour(text, (int64_t)size, object->line, (int64_t)size / same + 1, fields, object->fields,
                                      types, sensors, sensors + OTHERS, row);
    free(text), free(types), free(row);
    return count;
}

int main(int argc, char **argv)
{
    int32_t sensors;
    struct object object;
    if (argc != 3 || !got(&sensors, sizeof sensors))
        return 2;
    state = strtoull(argv[1], NULL, 10) | 1;
    struct type *known = room(sizeof *known * (size_t)sensors);
    for (struct type *type = known; type < known + sensors; type++) {
        struct sensor sensor;
        char *name = got(&sensor, sizeof sensor) ? room((size_t)sensor.size) : NULL;
        if (!name || !got(name, (size_t)sensor.size))
            return 2;
        *type = (struct type){name, sensor.size, 0, -1, sensor.low, sensor.high};
    }
    while (got(&object, sizeof object)) {
        struct field *fields = room(sizeof *fields * (size_t)object.fields);
        char *text = room((size_t)object.size), *changed = room((size_t)object.size + CHANGES * LINE);
        if (object.line >= LINE || !got(fields, sizeof *fields * (size_t)object.fields) || !got(text, (size_t)object.size))
            return 2;
        for (long left = strtol(argv[2], NULL, 10); left > 0; left--) {
            size_t size = (size_t)object.size;
            memcpy(changed, text, size);
            for (size_t most = 1 + below(CHANGES); most > 0 && size > (size_t)object.line + 1; most--)
                size = change(changed, size, &object, fields);
            int32_t length = (int32_t)size;
            if (is_taken(changed, size, &object, fields, known, sensors))
                fwrite(&length, sizeof length, 1, stdout), fwrite(changed, size, 1, stdout);
        }
        free(fields), free(text), free(changed);
    }
    while (sensors)
        free((char *)known[--sensors].name);
    free(known);
    return 0;
}
