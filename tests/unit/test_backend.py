"""Which form folds token events: the one that is asked for, else the compiled one where it is built."""

import shutil

import numpy as np
import pytest

import deploy.doctor
import deploy.worker
from aggregators.backend import HAS_COMPILED, adder_of, decoder_for
from aggregators.increments import add_in_numpy
from aggregators.record_decoder import RecordDecoder
from deploy.errors import UserError
from deploy.settings import Settings
from tally_client.events import CHAT, TOKEN
from tests.support.backends import FORMS, form_name


def test_the_compiled_form_is_built_where_there_is_a_compiler() -> None:
    assert HAS_COMPILED or not shutil.which("cc"), "`make setup` builds it"


def test_each_form_has_its_reader_of_tokens_and_one_for_the_rest() -> None:
    assert [type(decoder_for(TOKEN, compiled)) is RecordDecoder for compiled in FORMS] == [True, False][: len(FORMS)]
    assert all(type(decoder_for(CHAT, compiled)) is RecordDecoder for compiled in FORMS)


@pytest.mark.parametrize("compiled", FORMS, ids=form_name)
def test_a_row_takes_what_is_beyond_its_stamp_in_order(compiled: bool) -> None:
    counts, changed = np.array([[4, 10], [-1, 0], [9, 7]]), np.zeros(3, np.uint8)
    rows, offsets, amounts = (
        np.array([0, 1, 2, 0, 1]),
        np.array([4, 5, 6, 7, 8]),
        np.array([[0, n] for n in range(1, 6)]),
    )
    adder_of(compiled)(counts, changed, rows, offsets, amounts)
    assert counts.tolist() == [[7, 14], [8, 7], [9, 7]]
    assert changed.tolist() == [1, 1, 0]


@pytest.mark.skipif(not HAS_COMPILED, reason="there is no compiled form here")
def test_compiled_code_refuses_what_does_not_fit() -> None:
    counts, changed, one = np.zeros((2, 3), np.int64), np.zeros(2, np.uint8), np.zeros(1, np.int64)
    add = adder_of(True)
    for rows, amounts in ((one + 2, counts[:1]), (one - 1, counts[:1]), (one, counts[:1, :2]), (one, counts)):
        with pytest.raises((IndexError, ValueError)):
            add(counts, changed, rows, one, amounts)
    with pytest.raises(ValueError, match="one element per row"):
        add(counts, changed[:1], one, one, counts[:1])
    assert not counts.any()
    assert adder_of(False) is add_in_numpy


def test_the_setting_chooses_and_a_form_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for is_built in (True, False):
        monkeypatch.setattr(deploy.worker, "HAS_COMPILED", is_built)
        assert deploy.worker.is_compiled(Settings()) == is_built
        assert not deploy.worker.is_compiled(Settings(fold_backend="pure"))
    with pytest.raises(UserError, match="fold_backend is compiled, and that backend is not built"):
        deploy.worker.is_compiled(Settings(fold_backend="compiled"))


def test_the_doctor_says_when_there_is_no_compiled_form(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {}
    for is_built in (True, False):
        monkeypatch.setattr(deploy.doctor, "HAS_COMPILED", is_built)
        found[is_built] = [each.what for each in deploy.doctor.settings_findings(Settings()) if "pure" in each.what]
    assert [len(found[True]), len(found[False])] == [0, 1]
