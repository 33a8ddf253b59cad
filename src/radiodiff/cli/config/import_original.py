"""`radiodiff config import`: settings files of RadioDiff's original program as recipes."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from radiodiff.recipes.original import Finding, OriginalStage

__all__ = ["import_original"]

OTHER_STAGE = {"autoencoder": "diffusion", "diffusion": "autoencoder"}


def import_original(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Settings file of the original, such as first_radio.yaml.")
    ],
    out: Annotated[Path | None, typer.Option("--out", help="File for the recipe; by default it is printed.")] = None,
    stage: Annotated[
        str | None,
        typer.Option(
            "--stage",
            help="Recipe of the autoencoder or of the diffusion model, in a file that has both; by default what the "
            "file is for.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Read a settings file of the original program as a recipe, and say what became of each of its keys.

    The recipe goes to standard output or to --out, the tables to standard error. A file of a diffusion model also says
    what its first stage is: --stage autoencoder makes a recipe of that.

    Example: radiodiff config import radio_train.yaml --out mine.yaml
    """
    from radiodiff.atomic_file import atomic_write, check_target
    from radiodiff.errors import ConfigError
    from radiodiff.recipes.original import import_original

    if stage is not None and stage not in OTHER_STAGE:
        raise ConfigError(
            f"--stage must be {' or '.join(OTHER_STAGE)}", value=repr(stage), remedy="Correct it, or leave it out."
        )
    if out is not None:
        check_target(out)
        if out.exists():
            raise ConfigError(
                "--out must be a new file", value=f"{out}, which is there", remedy="Give another name, or remove it."
            )
    found = import_original(file, cast("OriginalStage | None", stage))
    head = [f"# From {file.name} by radiodiff config import: what the file says; all else has its default."]
    if found.stage != found.file_stage:
        head.append(f"# The file is that of a {found.file_stage} model; this is its first stage.")
    if found.not_given:
        head.append(f"# To be given: {', '.join(found.not_given)}")
    text = "\n".join([*head, found.to_yaml()])
    other = OTHER_STAGE[found.stage]
    _print("keys that have a place here", "ours", found.mapped)
    _print("what no key of the file says", "why", found.added)
    _print("contradictions", "finding", found.contradictions)
    _print("keys without a place here", "why", found.dropped)
    _print(f"keys of the other stage (--stage {other})", "there", found.kept)
    _print("unknown keys, left out", "why", found.unknown)
    if out is None:
        typer.echo(text, nl=False)
        return
    with atomic_write(out) as temporary:
        temporary.write_text(text, encoding="utf-8")
    typer.echo(f"{out}: recipe of stage {found.stage}")


def _print(title: str, last: str, rows: "Sequence[Finding]") -> None:
    from radiodiff.cli.tables import new_table, print_table

    if not rows:
        return
    table = new_table(title, "key", "value", last)
    for row in rows:
        table.add_row(row.key, "" if row.value is None else str(row.value), row.text)
    print_table(table, to_stderr=True)
