"""The layout that Amazon Lookout for Equipment read: a folder of sensor CSVs for each component, labels beside them."""

from pathlib import Path
from typing import Literal, NamedTuple

from monitory_local.importing.errors import ImportFault
from monitory_local.importing.tables import csv_rows

Components = Literal["parts", "machines"]
TIMESTAMP = "Timestamp"


class ComponentFile(NamedTuple):
    """A sensor CSV and the component that it is of."""

    path: Path
    component: str


def component_files(folder: Path) -> list[ComponentFile]:
    """The sensor CSVs below a folder, each with the folder that it lies in.

    Raises:
        ImportFault: there is none, or one has no Timestamp column.
    """
    paths = [path for path in sorted(folder.glob("*/*")) if path.suffix.lower() in (".csv", ".gz")]
    if not paths:
        raise ImportFault(f"{folder}: no CSV in a folder below it; expected COMPONENT/FILE.csv, a folder per component")
    for path in paths:
        names = csv_rows.header(path, csv_rows.dialect(path))
        if TIMESTAMP.lower() not in map(str.lower, names):
            raise ImportFault(f"{path}: no column {TIMESTAMP}; there are {', '.join(names)}")
    return [ComponentFile(path, path.parent.name) for path in paths]


def components_are(files: list[ComponentFile], choice: Components | None) -> Components:
    """Whether components are parts of one machine (each with sensors of its own) or machines of one kind.

    Raises:
        ImportFault: both would do.
    """
    if choice:
        return choice
    headers: dict[str, set[str]] = {}
    for path, component in files:
        names = csv_rows.header(path, csv_rows.dialect(path))
        headers.setdefault(component, set()).update(name for name in names if name.lower() != TIMESTAMP.lower())
    distinct = {frozenset(names) for names in headers.values()}
    if len(headers) > 1 and len(distinct) == 1:
        raise ImportFault(
            f"{', '.join(sorted(headers)[:3])} … all have the same sensors: are they machines or parts of one? Say "
            "--components machines or --components parts"
        )
    return "parts"


def label_files(path: Path, components: Components, files: list[ComponentFile], equip_id: str) -> dict[Path, list[str]]:
    """The machines of each label file: all of a file's, or those of the component that a file is named after.

    Raises:
        ImportFault: a file is named after no component.
    """
    if components == "parts":
        paths = sorted(path.glob("*.csv")) if path.is_dir() else [path]
        return {item: [equip_id] for item in paths}
    names = {component for _, component in files}
    if not path.is_dir():
        raise ImportFault(f"{path}: labels of which machine? Give a folder with a file per component, {min(names)}.csv")
    result = {item: [item.stem] for item in sorted(path.glob("*.csv"))}
    for item in result:
        if item.stem not in names:
            raise ImportFault(f"{item}: there is no component {item.stem!r}; there are {', '.join(sorted(names))}")
    return result
