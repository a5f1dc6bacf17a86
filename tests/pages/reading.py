"""A page as the tests read it: its elements in order, its links, its words."""

from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "hr", "input"}
ADDRESSES = ("href", "src", "action", "formaction", "srcset", "poster", "data", "cite")


class Page(HTMLParser):
    """A page; it must be well formed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.comments: list[str] = []
        self.text = ""
        self.words_of: dict[str, str] = {}
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID and not self.get_starttag_text().endswith("/>"):  # type: ignore[union-attr]
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.open:
            self.words_of[self.open[-1]] = self.words_of.get(self.open[-1], "") + data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    @property
    def shape(self) -> list[tuple[str, tuple[str, ...]]]:
        """Every element with the names of its attributes: what no text may change."""
        return [(tag, tuple(sorted(attributes))) for tag, attributes in self.tags]

    @property
    def addresses(self) -> list[str]:
        """Wherever something is fetched from, led to or sent to."""
        return [
            attributes[name]
            for _, attributes in self.tags
            for name in ADDRESSES
            if name in attributes
        ]

    def all(self, name: str) -> list[str]:
        """The values of an attribute."""
        return [attributes[name] for _, attributes in self.tags if name in attributes]

    def of(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every element of a kind."""
        return [attributes for found, attributes in self.tags if found == tag]

    @property
    def heading(self) -> str:
        """The words of the one heading of the first level."""
        return " ".join(self.words_of.get("h1", "").split())


def words(html: str) -> str:
    """All words of a page on one line."""
    return " ".join(Page(html).text.split())
