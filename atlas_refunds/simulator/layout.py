"""The looks of the page, and the few elements it is made of. Whatever is not `Html` is escaped."""

from collections.abc import Iterable, Sequence
from html import escape
from string import Template

PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
$refresh
<title>Local Atlas</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light; font: 16px/1.45 system-ui, sans-serif; color: #1b1f24; background: #fff }
  body { margin: 0 auto; max-width: 76rem; padding: 0 1rem 3rem }
  h1 { margin: 1rem 0 0 } h2 { margin: 2rem 0 .3rem }
  a { color: #0a4d8c }
  .skip { position: absolute; left: -99rem } .skip:focus { left: 1rem; top: 1rem; background: #fff; padding: .3rem }
  table { border-collapse: collapse; width: 100% }
  caption { text-align: left; color: #4a525c; padding: .2rem 0 }
  th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #c9d1d9 }
  td { overflow-wrap: anywhere }
  ol { margin: 0; padding-left: 1.2rem } li.later { color: #4a525c; font-style: italic }
  form { display: inline } button { font: inherit; padding: .15rem .7rem; margin: 0 .3rem .2rem 0; cursor: pointer;
    color: #fff; background: #0a4d8c; border: 1px solid #0a4d8c; border-radius: .3rem }
  button:hover { background: #083a69 }
  :focus-visible { outline: 3px solid #b3261e; outline-offset: 2px }
  .problem { color: #8c1d18; border-left: 4px solid #8c1d18; padding-left: .6rem }
</style>
</head>
<body>
<a class="skip" href="#main">To the refunds</a>
<header>
<h1>Local Atlas</h1>
<p>The simulator of atlas-refunds. Nothing here is real money.</p>
</header>
<nav aria-label="Clock and updates">
$steps
$switch
</nav>
<p id="summary" role="status">$summary</p>
$problem
<main id="main" tabindex="-1">
<section aria-labelledby="refunds"><h2 id="refunds">Refunds</h2>$refunds</section>
<section aria-labelledby="webhooks"><h2 id="webhooks">Webhooks</h2>$webhooks</section>
<section aria-labelledby="faults"><h2 id="faults">Faults</h2>$faults</section>
<section aria-labelledby="orders"><h2 id="orders">Orders</h2>$orders</section>
</main>
<script>
  // The same page, taken over where it differs; the focus stays where it was, and open details stay open.
  const parts = ["summary", "main"];
  async function update() {
    const fresh = new DOMParser().parseFromString(await (await fetch(location)).text(), "text/html");
    const focused = document.activeElement && document.activeElement.id;
    const open = [...document.querySelectorAll("details[open]")].map((details) => details.id);
    for (const id of parts) {
      const [mine, theirs] = [document.getElementById(id), fresh.getElementById(id)];
      for (const kept of open) theirs.querySelector("#" + kept)?.setAttribute("open", "");
      if (mine.innerHTML !== theirs.innerHTML) mine.innerHTML = theirs.innerHTML;
    }
    if (focused) document.getElementById(focused)?.focus();
  }
  if ($live) setInterval(() => update().catch(() => {}), 2000);
</script>
</body>
</html>
""")


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def cell(content: str) -> str:
    return content if isinstance(content, Html) else escape(content)


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Html:
    """The first cell of each row is its header."""
    head = "".join(f'<th scope="col">{cell(column)}</th>' for column in columns)
    lines = [
        f'<tr><th scope="row">{cell(first)}</th>{"".join(f"<td>{cell(content)}</td>" for content in others)}</tr>'
        for first, *others in rows
    ]
    body = "".join(lines) or f'<tr><td colspan="{len(columns)}">None so far.</td></tr>'
    return Html(f"<table><caption>{cell(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def items(entries: Iterable[tuple[str, str]]) -> Html:
    """An ordered list of (class, text)."""
    return Html(f"<ol>{''.join(f'<li class={kind}>{cell(text)}</li>' for kind, text in entries)}</ol>")


def details(identifier: str, summary: str, content: str) -> Html:
    return Html(
        f'<details id="{cell(identifier)}"><summary id="{cell(identifier)}-summary">{cell(summary)}</summary>'
        f"<code>{cell(content)}</code></details>"
    )


def button(action: str, text: str, subject: str = "", **values: str) -> Html:
    """A form of one button; `subject` completes its name for those who do not see the row."""
    fields = "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in values.items())
    name = f"{text} {subject}".strip()
    identifier = "-".join(name.lower().split())
    return Html(
        f'<form method="post" action="{escape(action)}">{fields}'
        f'<button id="{escape(identifier)}" aria-label="{escape(name)}">{escape(text)}</button></form>'
    )


def alert(text: str) -> Html:
    return Html(f'<p role="alert" class="problem">{cell(text)}</p>')
