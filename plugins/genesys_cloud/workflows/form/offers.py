"""What a campaign's form offers: the templates, languages, contact lists and senders that exist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.outbound.inventory import audience_names, template_languages, template_names
from genesys_cloud.outbound.senders import Sender, parse_senders

FILE = "senders.toml"

TEST_LIST = "test_recipients.csv"
"""The list of one's own numbers: for tests, and for no campaign."""


@dataclass(frozen=True, kw_only=True)
class Offers:
    """What there is to choose from; nothing where a folder or a file can't be read."""

    templates: Sequence[str] = ()
    languages: Sequence[str] = ()
    audiences: Sequence[str] = ()
    senders: Sequence[Sender] = ()

    @classmethod
    def of(cls, include_dir: Path) -> Offers:
        """Look into an include folder; a DAG file is imported whatever is wrong there."""
        try:
            senders = read_senders(include_dir)
        except CampaignDefinitionError:
            senders = ()  # the first task says what is wrong
        return cls(
            templates=template_names(include_dir / "templates"),
            languages=template_languages(include_dir / "templates"),
            audiences=[
                name for name in audience_names(include_dir / "audiences") if name != TEST_LIST
            ],
            senders=senders,
        )


def read_senders(include_dir: Path) -> tuple[Sender, ...]:
    """Read include/senders.toml; there are none where it does not exist.

    Raises CampaignDefinitionError for a file that can't be read or is not clear.
    """
    path = include_dir / FILE
    try:
        return parse_senders(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise CampaignDefinitionError(
            f"The senders in {path} can't be used, and nothing was planned: {reason} Mend the "
            "file; include/senders.toml of the project shows its form."
        ) from error
