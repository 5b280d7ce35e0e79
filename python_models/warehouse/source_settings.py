"""The var `sources`: what fills the input layer, read and checked before anything is built."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from dbt.flags import get_flags
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from warehouse.paths import REPO_ROOT

Text = Annotated[str, Field(min_length=1)]
ShopName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
HostName = Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]+$")]


class SourceSettingsError(RuntimeError):
    """The var `sources` cannot be used as it stands; the message has one line for each problem."""


class _Strict(BaseModel):
    """Unknown keys and other types than the declared are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Settings(_Strict):
    """What can be said of every source."""

    shop: ShopName | None = None
    """The shop whose ids the source speaks of; sources of one shop share customers and products."""


class FolderSettings(_Settings):
    """A source that is a folder of parquet files with fixed names."""

    directory: Text | None = None
    """The folder; null: where the source's environment variable or package has it."""


class WebEventsSettings(_Settings):
    """A landing folder of web events, partitioned by arrival date."""

    directory: Text
    """The folder that holds the partitions arrival_date=YYYY-MM-DD."""
    layout: Literal["auto", "plain", "segment", "ga4"] = "auto"
    """How the events are written; auto: each row tells by its keys."""
    hosts: list[HostName] = Field(default_factory=list)
    """The shop's own hosts besides that of each page, such as that of its checkout: a visitor who
    comes from one of them was not referred."""


class CustomColumn(_Strict):
    """Where one column of an input table comes from: a column of the file, or one value for all."""

    column: Text | None = None
    value: str | int | float | bool | None = None
    format: Text | None = None
    """How a date or timestamp is written, as in strptime; null: ISO 8601."""
    timezone: Text | None = None
    """On which clock a timestamp is told; null: UTC."""
    decimal: Literal[".", ","] = "."
    """What separates the fraction of a number."""
    multiply_by: Text | None = None
    """Another column of the file to multiply by, as a price by a quantity."""

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: object) -> object:
        return {"column": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _comes_from_one_place(self) -> Self:
        if (self.column is None) == (self.value is None):
            raise ValueError("name either a column or a value")
        if self.timezone and self.format and ("%z" in self.format or "%Z" in self.format):
            raise ValueError("the format already tells the offset, so there is no timezone to name")
        return self


class CustomTable(_Strict):
    """One input table of a shop's own: its files or table, and which column is what."""

    files: Text | None = None
    """Path or glob of CSV, JSON lines or parquet files."""
    table: Text | None = None
    """Table of an attached database, as database.table or database.schema.table."""
    format: Literal["csv", "json", "parquet"] | None = None
    """Null: as the ending of `files` says."""
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    """What separates the columns of a CSV file."""
    encoding: Literal["utf-8", "latin-1", "utf-16"] = "utf-8"
    """How the characters of a CSV file are written."""
    distinct: bool = False
    """Whether rows repeat because the file has a finer grain: each different one counts once."""
    columns: Annotated[dict[Text, CustomColumn], Field(min_length=1)]
    """By column of the input table, the column of the file, or more about it."""

    @model_validator(mode="after")
    def _comes_from_one_place(self) -> Self:
        if (self.files is None) == (self.table is None):
            raise ValueError("name either files or a table")
        return self


class CustomDatabase(_Strict):
    """A database that is attached read-only while the warehouse is built."""

    type: Literal["duckdb", "sqlite", "postgres"]
    path: Text
    """File of the database, or for postgres its connection string."""


class CustomSettings(_Settings):
    """A shop's own files and tables."""

    databases: dict[ShopName, CustomDatabase] = Field(default_factory=dict)
    tables: Annotated[dict[Text, CustomTable], Field(min_length=1)]


class SourceSettings(_Strict):
    """The whole var: a source that is named is switched on."""

    completejourney: FolderSettings | None = None
    online_retail: FolderSettings | None = None
    web_events: WebEventsSettings | None = None
    custom: CustomSettings | None = None

    @model_validator(mode="after")
    def _shops_are_named(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("switch on at least one source")
        others = self.model_fields_set - {"web_events"}
        if self.web_events and not self.web_events.shop and len(others) > 1:
            raise ValueError(
                f"web_events: name its shop, since there are several ({', '.join(sorted(others))})"
            )
        return self

    def enabled(self) -> dict[str, _Settings]:
        """Return the settings of the sources that are switched on, by name."""
        return {name: getattr(self, name) for name in sorted(self.model_fields_set)}


def read_source_settings(
    root: Path = REPO_ROOT, variables: Mapping[str, Any] | None = None
) -> SourceSettings:
    """Read what fills the input layer.

    Args:
        root: The dbt project.
        variables: Vars that override those of the project; None: those of the running dbt command.

    Raises:
        SourceSettingsError: If a key is unknown, has the wrong type or contradicts another.
    """
    project = yaml.safe_load((root / "dbt_project.yml").read_text(encoding="utf-8"))
    if variables is None:
        variables = getattr(get_flags(), "VARS", None) or {}  # type: ignore[no-untyped-call]
    return parse_source_settings({**(project.get("vars") or {}), **variables}.get("sources"))


def parse_source_settings(sources: object) -> SourceSettings:
    """Check the value of the var `sources`.

    Args:
        sources: The value as YAML has it. A source without settings may be null.

    Raises:
        SourceSettingsError: If a key is unknown, has the wrong type or contradicts another.
    """
    if not isinstance(sources, Mapping):
        raise SourceSettingsError(
            "The var sources is not a mapping of sources to their settings, such as "
            f"{{completejourney: {{}}}}, but: {sources}"
        )
    try:
        return SourceSettings.model_validate(
            {name: {} if settings is None else settings for name, settings in sources.items()}
        )
    except ValidationError as error:
        problems = [_in_words(problem) for problem in error.errors()]
        raise SourceSettingsError(
            "\n".join(["The var sources cannot be used:", *(f"  - {line}" for line in problems)])
        ) from error


def _in_words(problem: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in ("sources", *problem["loc"]))
    if problem["type"] == "extra_forbidden":
        return f"{place}: unknown key"
    if problem["type"] == "missing":
        return f"{place}: is missing"
    if problem["type"] == "model_type":
        return f"{place}: is not a mapping of settings, got {problem['input']!r}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{place}: {message[0].lower()}{message[1:]}, got {problem['input']!r}"
