import json

import pytest

from scripts.errors import SpecError
from scripts.extract import extract, parse
from scripts.spec import committed_page

DOCUMENT = '{"openapi": "3.0.1", "paths": {}}'
FENCE = f"```json\n{DOCUMENT}\n```"


def indented(text: str, by: str) -> str:
    return "\n".join(by + line for line in text.splitlines())


def test_the_page_has_one_document_an_operation() -> None:
    page = committed_page()
    found = {block.line: path for block in extract(page) for path in block.document["paths"]}
    assert {"/refundQuotation.do", "/refund.do", "/queryRefundOrders.do"} <= set(found.values())
    assert [page.splitlines()[line - 1] for line in found] == ["```json"] * len(found)


@pytest.mark.parametrize(
    ("page", "line"),
    [
        pytest.param(FENCE, 1, id="bare"),
        pytest.param(f"# Title\n\ntext\n{FENCE}\n", 4, id="after text"),
        pytest.param(f'{{% tabs %}}\n{{% tab title="x" %}}\n{FENCE}\n{{% endtab %}}\n{{% endtabs %}}', 3, id="tabs"),
        pytest.param(f'{{% hint style="info" %}}\n\n{FENCE}\n{{% endhint %}}', 3, id="hint"),
        pytest.param(f"- one\n- two\n\n{indented(FENCE, '  ')}\n", 4, id="list"),
        pytest.param(f"1. one\n   - two\n\n{indented(FENCE, '     ')}\n", 4, id="list in a list"),
        pytest.param(indented(f"text\n\n{FENCE}", "> "), 3, id="quote"),
        pytest.param(f"~~~json\n{DOCUMENT}\n~~~", 1, id="tildes"),
        pytest.param(f"````json\n{DOCUMENT}\n````", 1, id="four ticks"),
        pytest.param(f'```json title="API" lineNumbers="true"\n{DOCUMENT}\n```', 1, id="attributes"),
        pytest.param(f"```\n{DOCUMENT}\n```", 1, id="no language"),
        pytest.param("```json\n{\n  'openapi'\n```".replace("'openapi'", DOCUMENT[1:]), 1, id="spread"),
        pytest.param("```yaml\nopenapi: 3.0.1\npaths: {}\n```", 1, id="YAML"),
        pytest.param('```json\n{"status": 0}\n```\n' + FENCE, 4, id="beside a sample"),
        pytest.param(f"```js\n{DOCUMENT}\n```\n{FENCE}", 4, id="beside another language"),
    ],
)
def test_finds_a_document(page: str, line: int) -> None:
    (block,) = extract(page)
    assert (block.line, block.document) == (line, json.loads(DOCUMENT))


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        ('```json\n{"openapi": "3.0.1",\n```', "line 1: looks like OpenAPI, but Expecting property name"),
        ('```json\n{"openapi": "3.0.1", "paths": {"a": 1, "a": 2}}\n```', "line 1: .*'a' stands twice in one object"),
        ("```yaml\nopenapi: 3.0.1\npaths: {a: 1, a: 2}\n```", "line 1: .*'a' stands twice in one object"),
        ("```yaml\nopenapi: 3.0.1\npaths: [\n```", "line 1: looks like OpenAPI, but while parsing"),
        ('text\n\n```json\n{"openapi": "3.1.0"}\n```', r"line 3: .*its version is 3\.1\.0, expected 3\.0\.x"),
        ('```json\n{"swagger": "2.0"}\n```', r"its version is 2\.0, expected 3\.0\.x"),
        ("<!DOCTYPE html><html></html>", r"this is HTML, not the page's Markdown twin \(the address ending in \.md\)"),
        ("\n<html lang='en'>", "this is HTML"),
        (
            '{% openapi-operation spec="atlas" path="/refund.do" method="post" %}\n{% endopenapi-operation %}',
            "the page refers to its specification by openapi-operation blocks",
        ),
        ("# Refunds\n\nSoon.", "no embedded OpenAPI document$"),
        ("", "no embedded OpenAPI document$"),
    ],
)
def test_says_why_a_page_cannot_be_read(page: str, problem: str) -> None:
    with pytest.raises(SpecError, match=f"^the page cannot be read:\n  .*{problem}"):
        extract(page)


def test_one_bad_document_is_not_hidden_by_a_good_one() -> None:
    with pytest.raises(SpecError) as caught:
        extract(f'{FENCE}\n\n```json\n{{\'openapi\': broken\n```\n\n```json\n{{"swagger": "2.0"}}\n```')
    assert [problem[:7] for problem in caught.value.problems] == ["line 5:", "line 9:"]


def test_a_document_is_an_object() -> None:
    with pytest.raises(ValueError, match="it is not an object"):
        parse("- openapi: 3.0.1")
