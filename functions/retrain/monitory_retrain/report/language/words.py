"""Text in the languages of the page: English, and Korean from a table of words. The page shows one of them by CSS."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from markupsafe import Markup, escape


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text with its values, such as counts and names, in each language.

    Attributes:
        text: in English, a format string; the key in the table of words.
        values: what stands in its braces. Phrases among them are told in the same language.
    """

    text: str
    values: Mapping[str, object]

    def __str__(self) -> str:
        """In English, not escaped: for drawings' descriptions."""
        return self.text.format(**{name: str(v) if isinstance(v, Phrase) else v for name, v in self.values.items()})

    def __html__(self) -> str:
        """Both languages, with values escaped; once where they say the same."""
        english, other = self.languages()
        if english == other:
            return english
        return Markup('<span lang="en">{}</span><span lang="ko">{}</span>').format(english, other)

    def languages(self) -> tuple[Markup, Markup]:
        """In English and in Korean, with values escaped."""
        return self._markup("en"), self._markup("ko")

    def _markup(self, language: str) -> Markup:
        text = korean().get(self.text, self.text) if language == "ko" else self.text
        values = {name: v._markup(language) if isinstance(v, Phrase) else v for name, v in self.values.items()}
        return escape(text).format(**values)


Text = str | Phrase
"""What comes from data is the same in each language."""


def say(text: str, /, **values: object) -> Phrase:
    """A phrase.

    >>> str(say("{count} of {all}", count=3, all=4))
    '3 of 4'
    """
    return Phrase(text, values)


def joined(texts: Sequence[Text], separator: str = ", ") -> Phrase:
    """Texts one behind another.

    >>> str(joined([say("{count} of {all}", count=3, all=4), "7"]))
    '3 of 4, 7'
    """
    values = {f"text{number}": text for number, text in enumerate(texts)}
    return Phrase(separator.join(f"{{{name}}}" for name in values), values)


@cache
def korean() -> dict[str, str]:
    """The table of words: Korean format strings by the English ones."""
    table: dict[str, str] = json.loads(resources.files(__package__).joinpath("korean.json").read_text(encoding="utf-8"))
    return table
