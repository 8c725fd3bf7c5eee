"""What reading a page costs: the import of its libraries, the CPU of a usual page, the memory of a huge one.

The pages are made here, as large shops make theirs: much script, some thousand elements, a product's data.
"""

import json
import re
import resource
import shutil
import subprocess
import sys
import time

from bench import ROOT
from bench.imports import FLOOR, instructions
from bench.row import Row

USUAL_BYTES, HUGE_BYTES = 450_000, 10_000_000
CPU_MS, IMPORT_INSTRUCTIONS, MEMORY_MIB = 10, 65_000_000, 150
RUNS = 15
ELEMENTS = 2_500
LIBRARIES = "import selectolax.lexbor, protego"
SEE = "import sys; sys.path[:0] = [{shared!r}, {root!r}]; from bench import pages; print(pages.peak({size}))"


def run() -> list[Row]:
    return [*_imports(), _cpu(), _memory()]


def page(size: int) -> str:
    """A page of about `size` characters, of which a fifth are elements and the rest is script, as shops have it."""
    offer = {"@type": "Offer", "price": "129.00", "priceCurrency": "EUR", "availability": "https://schema.org/InStock"}
    product = {"@context": "https://schema.org", "@type": "Product", "name": "Harbour Runner", "offers": offer}
    head = f'<script type="application/ld+json">{json.dumps(product)}</script>'
    cell = '<div class="card card--wide" data-id="{0}"><a href="/p/{0}"><span class="name">Item {0}</span></a></div>'
    cells = "".join(cell.format(number) for number in range(ELEMENTS // 3))
    script = "window.theme=window.theme||{};theme.strings={add:'Add to cart',sold:'Sold out'};"
    rest = max(0, size - len(head) - len(cells) - 200)
    filler = f"<script>{script * (rest // len(script))}</script>"
    return f"<!doctype html><html><head><title>Harbour Runner</title>{head}{filler}</head><body>{cells}</body></html>"


def read(text: str) -> None:
    """Read a page as a check does."""
    from sluice.pages import readers
    from sluice.pages.readers.page import PageSource
    from sluice.pages.reading import ReadOutcome

    found = readers.read(PageSource("https://northpier.example/products/harbour-runner", text))
    if found.outcome is not ReadOutcome.PRODUCT:
        raise RuntimeError(f"the page should hold a product, and is {found.outcome}: {found.seen}")


def peak(size: int) -> int:
    """By how many bytes reading a page of this size raises the most that this process has taken."""
    read(page(10_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    read(page(size))
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024


def _imports() -> list[Row]:
    if not shutil.which("valgrind"):
        return []
    cost = instructions(f"{FLOOR}\n{LIBRARIES}") - instructions(FLOOR)
    conditions = "selectolax and protego, over what every function has, bytecode at hand"
    return [Row("import of what pages are read with", conditions, cost, "instructions", most=IMPORT_INSTRUCTIONS)]


def _cpu() -> Row:
    text, times = page(USUAL_BYTES), list[float]()
    for _ in range(RUNS):
        began = time.process_time()
        read(text)
        times.append(time.process_time() - began)
    elements = len(re.findall("<[a-z]", text))
    conditions = f"{len(text) // 1000} KB, {elements} elements, JSON-LD; CPU time, best of {RUNS}"
    return Row("a usual page read", conditions, min(times) * 1_000, "ms", most=CPU_MS)


def _memory() -> Row:
    script = SEE.format(shared=str(ROOT / "shared"), root=str(ROOT), size=HUGE_BYTES)
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    conditions = "10 MB, beside what a small page takes; the page itself included"
    return Row("memory for a huge page", conditions, int(done.stdout) / 2**20, "MiB", most=MEMORY_MIB)
