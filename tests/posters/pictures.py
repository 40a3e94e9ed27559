"""The example chain's prints as pictures, for people to look at: ``python -m tests.posters.pictures``.

Written to docs/screens/ beside the pages; nothing compares them, since another PDFium draws other edges.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from app.db import connect, schema
from app.passes import designs, prints
from app.places import links
from app.posters.drawing import draw_pdf
from app.posters.sizes import SHEETS, SIZES
from tests.posters.prints import picture
from tests.web.whole_web import open_whole_web

SCREENS = Path(__file__).parents[2] / "docs" / "screens"
LANGUAGES = ("ru", "en", "both")
HEIGHT = 900
COLOURS = 64


def main() -> None:
    """Draw them all anew."""
    SCREENS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        url = f"sqlite:///{directory}/pictures.db"
        database = connect(url)
        schema.migrate(database)
        database.close()
        web = open_whole_web(Path(directory), url, "")
        for brand, address in web.links.items():
            for size in SIZES:
                sheet = SHEETS[size]
                height = HEIGHT if sheet.height > 100 else HEIGHT // 2
                for language in LANGUAGES if size in ("a4", "tent") else LANGUAGES[:2]:
                    with web.database.read() as tx:
                        found = prints.posters(
                            tx,
                            [links.link_by_code(tx, address.removeprefix("/i/"))],
                            design=partial(designs.newest, tx),
                            url=lambda link: f"https://cards.example.com/i/{link.code}",
                            language=language,
                            now=datetime.now(UTC),
                        )
                    pdf = draw_pdf(found, size)
                    drawn = picture(pdf, dpi=height / (sheet.height + 2 * sheet.bleed) * 25.4)
                    file = SCREENS / f"poster-{brand}-{size}-{language}.png"
                    drawn.quantize(COLOURS).save(file, optimize=True)
        web.database.close()


if __name__ == "__main__":
    main()
