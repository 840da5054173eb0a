"""Long contact lists of people who do not exist, the same at every run."""

from __future__ import annotations

from pathlib import Path

_LANGUAGES = ("en", "es", "fr", "de", "pt-BR", "ja", "")
_NAMES = ("Alex", "Ana", "Zoë", "José", "Jürgen", "Sam", "Émile", "陽菜", "Björk", "Maria")


def write_list(path: Path, rows: int) -> None:
    """Write a list in which one row in 100 has no usable number and one in 50 no consent."""
    with path.open("w", encoding="utf-8") as file:
        file.write("address,consent,recipient_id,language,timezone,name,orderId,date\n")
        for row in range(rows):
            file.write(
                f"{_address(row)},{'false' if row % 53 == 0 else 'true'},c{row},"
                f"{_LANGUAGES[row % 7]},,{_NAMES[row % 10]} {row % 9973},A-{row},"
                f"2026-12-{1 + row % 28:02d}\n"
            )


def _address(row: int) -> str:
    if row % 101 == 0:
        return "by post"
    if row % 197 == 0:
        return f"+1555{row:07d}"
    spellings = (
        f"+1 (202) {200 + row // 10_000 % 800}-{row % 10_000:04d}",
        f"+1305{2_000_000 + row}",
        f"+1613{2_000_000 + row}",
        f"+346{row:08d}",
        f"+44 7400 {row:06d}",
    )
    return spellings[row % 5]
