"""Pages of HTML: templates that share a frame and a style, without scripts and without network access."""

from importlib import resources

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


def environment(package: str) -> Environment:
    """Templates of a package, which extend `base.html`; everything that comes from data is escaped."""
    pages = Environment(
        loader=ChoiceLoader([PackageLoader(package, ""), PackageLoader(__package__, "")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.globals["style"] = resources.files(__package__).joinpath("style.css").read_text(encoding="utf-8")
    return pages
