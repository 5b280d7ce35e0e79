"""The dbt-duckdb plugin that puts the raw files into the warehouse, as views."""

from pathlib import Path
from typing import Any

import duckdb

# dbt loads models on several threads. scikit-learn's modules import each other in circles, and a
# second thread may see one half made; loaded here, all others wait until they are complete.
import sklearn.cluster
import sklearn.ensemble
import sklearn.feature_extraction.text
import sklearn.utils.extmath  # noqa: F401
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.adapters.events.logging import AdapterLogger
from threadpoolctl import threadpool_limits

from warehouse.custom_source import check_custom_source, load_custom_source
from warehouse.input_contract import read_input_contract
from warehouse.landing import landing_folder, refresh_landing
from warehouse.raw_files import (
    RawSource,
    check_sources,
    create_views,
    missing_optional_files,
    read_sources,
)
from warehouse.source_settings import CustomSettings, WebEventsSettings, read_source_settings

logger = AdapterLogger("Warehouse")


class Plugin(BasePlugin):
    """Checks the raw files before the warehouse is opened, then keeps a view over each of them.

    Once a build: dbt opens the warehouse anew for nearly every model, and what it reads should not
    change under it.

    Whatever stops a build is raised as a RuntimeError: dbt-duckdb turns that, and nothing else,
    into one plain message without a traceback.
    """

    sources: list[RawSource]
    custom: CustomSettings | None
    web_events: WebEventsSettings | None
    is_ready: bool

    def initialize(self, plugin_config: dict[str, Any]) -> None:  # noqa: ARG002
        """Read what the project declares as its sources.

        Args:
            plugin_config: The profile's settings for this plugin; there are none.

        Raises:
            SourceDeclarationError: If a source is declared incompletely.
            SourceSettingsError: If the var `sources` cannot be used.
        """
        self.sources = read_sources()
        settings = read_source_settings()
        self.custom = settings.custom
        self.web_events = settings.web_events
        self.is_ready = False
        # A limit of BLAS holds for the whole process, and setting it is not safe between models
        # that run side by side: so once, for good. Sums then do not depend on the machine's cores.
        threadpool_limits(limits=1, user_api="blas")

    def update_connection_config(
        self,
        creds: DuckDBCredentials,
        config: dict[str, Any],  # noqa: ARG002
    ) -> None:
        """Check the raw files, then make room for the warehouse.

        This runs before the file is opened. A bad raw file therefore neither touches the last good
        warehouse nor leaves an empty one behind.

        Args:
            creds: The connection of the profile.
            config: DuckDB's options, left as they are.

        Raises:
            RawDataError: If a raw file cannot be used.
            RuntimeError: If the warehouse's folder cannot be made.
        """
        if self.is_ready:
            return
        check_sources(self.sources)
        if self.custom:
            problems = check_custom_source(self.custom, read_input_contract())
            if problems:
                raise RuntimeError(
                    "\n".join(
                        ["The source custom cannot be used:", *(f"  - {line}" for line in problems)]
                    )
                )
        if self.web_events:
            landing_folder(self.web_events)
        if creds.path.startswith(":memory:"):
            return
        folder = Path(creds.path).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RuntimeError(
                f"The folder {folder} of the warehouse cannot be made: {error.strerror}"
            ) from error

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Create the views over the raw files and the landed web events.

        Args:
            conn: The warehouse.

        Raises:
            RuntimeError: If the warehouse does not take a view.
        """
        if self.is_ready:
            return
        for source in self.sources:
            try:
                create_views(conn, source)
            except duckdb.Error as error:
                raise RuntimeError(
                    f"The views of source {source.name} cannot be created: {error}"
                ) from error
        if self.custom:
            for message in load_custom_source(conn, self.custom, read_input_contract()):
                logger.warning(f"Source custom: {message}")
        if self.web_events:
            self._refresh_landing(conn, self.web_events)
        self._announce_missing_files()
        self.is_ready = True

    def _refresh_landing(
        self, conn: duckdb.DuckDBPyConnection, settings: WebEventsSettings
    ) -> None:
        try:
            problems = refresh_landing(conn, landing_folder(settings))
        except duckdb.Error as error:
            raise RuntimeError(f"The landed web events cannot be listed: {error}") from error
        if problems:
            logger.warning(
                f"Of {len(problems)} files of source web_events nothing is read, they are "
                f"quarantined: {'; '.join(problems[:10])}{'; ...' if problems[10:] else ''}"
            )

    def _announce_missing_files(self) -> None:
        for source in self.sources:
            missing = missing_optional_files(source)
            if missing:
                logger.info(
                    f"Source {source.name} comes without {', '.join(missing)}: empty tables instead"
                )
