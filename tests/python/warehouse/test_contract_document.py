from pathlib import Path

import pytest

from warehouse import contract_document
from warehouse.contract import ContractError, InputColumn, InputTable, Rule
from warehouse.contract_document import DOCUMENT, main, make_document, read_examples, render

TABLE = InputTable(
    name="consents",
    description="One row per change.\n\n- **Never** overwrite.\n- **Bad rows**: go away.",
    is_required=False,
    key=("customer_id", "changed_at"),
    columns=(
        InputColumn("customer_id", "string", "The customer."),
        InputColumn("is_granted", "boolean", "Yes | no."),
    ),
    rules=(Rule("missing_key", "customer_id is null", "warn", "flag", "It has no key."),),
)


def test_a_section_holds_columns_examples_and_rules() -> None:
    rows = {"consents": [{"customer_id": "C-1", "is_granted": "true"}, {"customer_id": "C-2"}]}
    page = render([TABLE], rows, {"consents": {"customer_id"}})
    assert "| [consents](#consents) | customer_id, changed_at | no |" in page
    assert "| `customer_id` | string | yes | The customer. | C-1 | C-2 |" in page
    assert "| `is_granted` | boolean |  | Yes \\| no. | true |  |" in page
    assert "| `missing_key` | passes, flagged | warn | It has no key. |" in page
    assert "- **Never** overwrite." in page
    assert "go away" not in page


def test_examples_stay_as_they_are_written() -> None:
    examples = read_examples()
    assert examples["order_lines"][0]["loyalty_discount"] == "1.80"
    assert examples["products"][0]["is_active"] == "true"


def test_the_document_is_current() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == make_document(), "run `make contract`"


def test_an_example_that_the_gate_rejects_makes_no_document(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(contract_document, "read_contract", lambda: [TABLE])
    monkeypatch.setattr(contract_document, "read_examples", lambda: {"consents": [{}]})
    with pytest.raises(ContractError, match="consents, row 1: breaks missing_key"):
        make_document()


def test_check_shows_what_changed_and_update_renews(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(contract_document, "make_document", lambda: "new\n")
    document = tmp_path / "page.md"
    document.write_text("old\n")
    assert main(["check", "--document", str(document)]) == 1
    assert "-old\n+new\n" in capsys.readouterr().out
    assert main(["update", "--document", str(document)]) == 0
    assert main(["check", "--document", str(document)]) == 0
