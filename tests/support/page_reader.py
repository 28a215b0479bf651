"""A report page as a reader of one of its languages sees it."""

import re
from html.parser import HTMLParser

WORDS = re.compile(r"\s+")


class Reader(HTMLParser):
    """Tags with their attributes, and the text outside of style sheets that a reader of a language sees."""

    def __init__(self, page: bytes, language: str = "en") -> None:
        super().__init__()
        self._other = {"en": "ko", "ko": "en"}[language]
        self._spans: list[bool] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.parts: list[str] = []
        self._style = False
        self.feed(page.decode())
        self.text = WORDS.sub(" ", " ".join(self.parts))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._style = tag == "style"
        if tag in {"span", "text"}:
            self._spans.append(("lang", self._other) in attrs)

    def handle_endtag(self, tag: str) -> None:
        self._style = False
        if tag in {"span", "text"}:
            self._spans.pop()

    def handle_data(self, data: str) -> None:
        if not self._style and not any(self._spans):
            self.parts.append(data)

    def attributes(self, name: str) -> list[str]:
        """An attribute's values in the whole page."""
        return [value for _, attributes in self.tags if (value := attributes.get(name))]
