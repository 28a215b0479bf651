/* The hour of a machine out of an object whose lines are all alike, in one pass.

   The first line's layout, which Python has checked, is everyone's: all bytes of other lines must be the same but those
   of sensorId, sensorType, val and the time within the hour. At any deviation Python reads the object instead, so this
   is no parser of JSON. Figures have the bits of hour_row.py: the same operations in the same order, sums exactly
   rounded, nothing contracted (-ffp-contract=off). The text ends in a NUL, at which each loop over characters stops. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SENSOR_ID, SENSOR_TYPE, VALUE, TIME };          /* kinds of fields */
enum { WINDOW = 5, STATISTICS = 7, MAX_DIGITS = 19, MAX_PARTIALS = 64 };

struct field { int32_t kind, start, end; };            /* its content in the first line, without quotes */
struct type { const char *name; int32_t size, count; int64_t newest; double low, high; };

static int is_digit(char c) { return c >= '0' && c <= '9'; }

/* The end of a string; NULL if it has escapes or is not plain ASCII. */
static const char *string_end(const char *p)
{
    while (*p >= ' ' && *p <= '~' && *p != '"' && *p != '\\')
        p++;
    return *p == '"' ? p : NULL;
}

/* The end of a number and the double nearest to it; NULL if it has an exponent, is -0 or too large to be a value. */
static const char *number_end(const char *p, double *value)
{
    const char *start = p, *whole = p += *p == '-';
    double scale = 1;
    uint64_t digits = 0;
    while (is_digit(*p))
        digits = digits * 10 + (uint64_t)(*p++ - '0');
    if (p == whole || (*whole == '0' && p > whole + 1))
        return NULL;
    for (p += *p == '.'; is_digit(*p); scale *= 10)
        digits = digits * 10 + (uint64_t)(*p++ - '0');
    char *end = (char *)p;
    if (p - whole <= MAX_DIGITS && digits <= (uint64_t)1 << 53)  /* both are exact, so it is rounded once */
        *value = (double)digits / scale * (*start == '-' ? -1 : 1);
    else
        *value = strtod(start, &end);
    return end == p && p[-1] != '.' && fabs(*value) <= 1e100 && (*value != 0 || *start != '-') ? p : NULL;
}

/* The end of MM:SS with a fraction of up to six digits, and its microseconds; NULL if it is none. */
static const char *time_end(const char *p, int64_t *time)
{
    int64_t unit = 1000000;
    if (!(*p >= '0' && *p <= '5' && is_digit(p[1]) && p[2] == ':' && p[3] >= '0' && p[3] <= '5' && is_digit(p[4])))
        return NULL;
    *time = (((p[0] - '0') * 10 + p[1] - '0') * 60 + (p[3] - '0') * 10 + p[4] - '0') * unit;
    if (*(p += 5) == '.')
        while (is_digit(*++p) && unit > 1)
            *time += (*p - '0') * (unit /= 10);
    return *p == '"' && p[-1] != '.' ? p : NULL;
}

/* The sum, rounded once, as by math.fsum (Shewchuk 1997). */
static double exact_sum(const double *values, int64_t count)
{
    double partials[MAX_PARTIALS], high = 0, low = 0;
    int size = 0;
    for (int64_t at = 0; at < count; at++) {
        double x = values[at];
        int kept = 0;
        for (int i = 0; i < size; i++) {
            double y = partials[i], part;
            high = x + y, part = high - x, low = (x - (high - part)) + (y - part), x = high;
            if (low != 0)
                partials[kept++] = low;
        }
        partials[kept] = x;
        size = kept + (x != 0);
    }
    for (high = size ? partials[--size] : 0, low = 0; size && low == 0;) {
        double x = high, y = partials[--size];
        high = x + y, low = y - (high - x);
    }
    if (size && (low < 0) == (partials[size - 1] < 0)) {  /* what is left lies beyond the half */
        double y = low * 2, x = high + y;
        high = x - high == y ? x : high;
    }
    return high;
}

/* A sensor's columns of the hour row, as `_statistics` in hour_row.py; its values are overwritten. */
static void statistics(double *v, const struct type *type, double *row)
{
    int64_t count = type->count, windows = count - WINDOW + 1, outside = 0;
    double total = exact_sum(v, count), mean = total / (double)count, smallest = v[0], largest = v[0], ends[WINDOW - 1];
    for (int64_t i = 0; i < count; i++) {
        smallest = v[i] < smallest ? v[i] : smallest;
        largest = v[i] > largest ? v[i] : largest;
        outside += v[i] < type->low || v[i] > type->high;
    }
    row[0] = mean, row[3] = smallest, row[4] = largest, row[5] = (double)outside / (double)count, row[6] = (double)count;
    if (windows < 1)
        return;
    for (int i = 0; i < WINDOW - 1; i++)
        ends[i] = (WINDOW - 1 - i) * (v[i] + v[count - 1 - i]);
    for (int64_t i = 0; i < count; i++)
        v[i] -= mean;
    for (int64_t i = 0; i < windows; i++) {
        double a = v[i], b = v[i + 1], c = v[i + 2], d = v[i + 3], e = v[i + 4], sum = a + b + c + d + e;
        double variance = (a * a + b * b + c * c + d * d + e * e) - sum * sum * 0.2;
        v[i] = variance > 0 ? sqrt(variance * 0.25) : 0.0;
    }
    row[1] = (WINDOW * total - exact_sum(ends, WINDOW - 1)) / (double)(WINDOW * windows);
    row[2] = exact_sum(v, windows) / (double)windows;
}

/* The number of a name's type, which is added if it is new; `room` if there is none. */
static int type_of(struct type *types, int *count, int room, const char *name, int64_t size)
{
    int at = 0;
    while (at < *count && (types[at].size != size || memcmp(types[at].name, name, (size_t)size)))
        at++;
    if (at == *count && at < room)
        types[(*count)++] = (struct type){name, (int32_t)size, 0, -1, 0, 0};
    return at;
}

/* The columns of the sensors, types[0..sensors), into `row`, which is NaN. Other types are added to them, up to `room`;
   each gets its count and newest time. The first line ends at `line`, without its newline; `most` lines have room in
   the text. Returns the number of types; 0 if the object is not of this kind or there is no memory. */
int monitory_uniform_hour(const char *text, int64_t size, int64_t line, int64_t most, const struct field *fields,
                          int field_count, struct type *types, int sensors, int room, double *row)
{
    double *values = malloc(sizeof(double) * (size_t)(sensors * most));
    const char *p = values ? text : NULL, *end = text + size;
    int count = sensors;
    while (p && p < end && *p == '{') {
        int type = room;
        double value = 0;
        int64_t time = 0;
        for (int k = 0, from = 0; p && k <= field_count; from = fields[k++].end) {
            int64_t same = (k < field_count ? fields[k].start : line) - from;
            const char *start = end - p < same || memcmp(p, text + from, (size_t)same) ? NULL : p + same;
            p = start;
            if (!p || k == field_count)
                break;
            p = fields[k].kind == VALUE ? number_end(p, &value) : fields[k].kind == TIME ? time_end(p, &time) : string_end(p);
            if (p && fields[k].kind == SENSOR_TYPE)
                type = type_of(types, &count, room, start, p - start);
        }
        if (!p || type == room || time <= types[type].newest || (p < end && *p++ != '\n')) {
            p = NULL;
            break;
        }
        if (type < sensors)
            values[type * most + types[type].count] = value;
        types[type].newest = time;
        types[type].count++;
    }
    while (p && p < end && (*p == '\n' || *p == ' ' || *p == '\r' || *p == '\t'))
        p++;
    for (int i = 0; p == end && i < sensors; i++)
        if (types[i].count)
            statistics(values + i * most, types + i, row + i * STATISTICS);
    free(values);
    return p == end ? count : 0;
}
