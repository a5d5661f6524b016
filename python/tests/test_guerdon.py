"""The package as its users meet it."""

import math
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import guerdon
from guerdon import openrlhf, trl, verl

MATH = {
    "signals": {"correct": {"use": "verify.math"}, "tagged": {"use": "verify.format"}},
    "reward": [{"use": "shape.combine", "weights": {"correct": 1.0, "tagged": 0.5}}],
    "advantage": {"use": "advantage.grpo", "preset": "verl"},
}
GOOD = "<think>t</think><answer>$\\boxed{4}$</answer>"


def rows(*completions, reference="4"):
    return [{"prompt": "2 + 2?", "completion": c, "reference": reference} for c in completions]


def test_a_spec_scores_rows():
    result = guerdon.Spec(MATH).score(rows(GOOD, "5"))
    assert result.reward == [1.5, 0.0]
    assert result.signal("correct") == [1.0, 0.0]
    assert result.advantage[0] == pytest.approx(0.7071, abs=1e-4)
    assert result.errors == [{}, {}]


def test_unscored_is_none_with_its_reason():
    result = guerdon.Spec(MATH).score(rows(GOOD, reference=None))
    assert result.reward == [None]
    assert result.errors[0]["correct"].startswith("missing")


def test_groups_need_not_be_neighbours():
    data = [{"completion": "x", "group": g, "r": r} for g, r in zip("abab", [1, 0, 0, 1], strict=True)]
    spec = {"signals": {"r": {"use": "verify.column", "column": "r"}}, "advantage": "advantage.grpo"}
    advantage = guerdon.Spec(spec).score(data).advantage
    assert np.sign(advantage).tolist() == [1, -1, -1, 1]


def test_a_mistake_says_where(tmp_path: Path):
    with pytest.raises(ValueError, match=r"did you mean `verify.math`\?[\s\S]*signals.a"):
        guerdon.Spec({"signals": {"a": {"use": "verify.mth"}}})
    path = tmp_path / "s.yaml"
    path.write_text("signals:\n  a: {use: verify.mth}\n")
    with pytest.raises(ValueError, match="s.yaml:2:12"):
        guerdon.Spec(path)


def test_data_frames_are_rows():
    pa = pytest.importorskip("pyarrow")
    table = pa.Table.from_pylist(rows(GOOD, "5"))
    assert guerdon.Spec(MATH).score(table).reward == [1.5, 0.0]


def test_columns_of_data_frames_are_lists():
    pa = pytest.importorskip("pyarrow")
    column = pa.array([1.0, 2.0, 4.0])
    assert guerdon.stats.spearman(x=column, y=[1, 2, 3]) == guerdon.stats.spearman(x=[1.0, 2.0, 4.0], y=[1, 2, 3])


def test_methods_are_functions():
    values = guerdon.advantage.grpo(np.array([1.0, 0, 0, 1]), groups=[7, 7, 7, 7], preset="trl")
    np.testing.assert_allclose(values, [0.866, -0.866, -0.866, 0.866], atol=1e-3)
    assert guerdon.shape.par([2.0], columns={"r": [2.0]}, references="r").tolist() == [0.5]
    assert guerdon.verify.math(["\\boxed{1/2}", "3"], ["0.5", "4"]).tolist() == [1.0, 0.0]
    assert guerdon.select.vote(answers=["a", "b", "b"])["index"] == 1


def test_unscored_values_are_nan_and_stay_out():
    values = guerdon.advantage.grpo([1.0, None, 0.0], groups=[0, 0, 0])
    assert math.isnan(values[1])
    assert values[0] == -values[2] > 0
    assert np.isnan(guerdon.verify.math(["4"], [None])).all()


def test_wrong_parameters_and_names_are_told():
    with pytest.raises(TypeError, match="shape.par: got an unexpected keyword argument 'temprature'"):
        guerdon.shape.par([1.0], temprature=2.0)
    with pytest.raises(AttributeError, match="known:"):
        _ = guerdon.shape.parr
    with pytest.raises(AttributeError, match="families"):
        _ = guerdon.shapes


def test_every_method_has_a_manual_and_a_signature():
    for method in guerdon.methods():
        assert "# References" in method.__doc__
        assert method.__signature__ is not None


def test_trl_gets_a_list_and_logs():
    (reward,) = trl.reward_funcs(MATH)
    extra, metrics = {}, {}
    out = reward(
        prompts=["2 + 2?"] * 2,
        completions=[[{"role": "assistant", "content": GOOD}], [{"role": "assistant", "content": "5"}]],
        completion_ids=[[1, 2], [3]],
        reference=["4", None],
        trainer_state=object(),
        log_extra=lambda k, v: extra.update({k: v}),
        log_metric=lambda k, v: metrics.update({k: v}),
    )
    assert out == [1.5, None]
    assert extra["correct"] == [1.0, None]
    assert metrics["guerdon/correct/unscored"] == 0.5
    names = [f.__name__ for f in trl.reward_funcs(MATH, per_signal=True)]
    assert names == ["correct", "tagged"]


def test_verl_gets_the_same_keys_always(tmp_path: Path):
    path = tmp_path / "s.json"
    path.write_text('{"signals": {"correct": {"use": "verify.math"}}}')
    good = verl.compute_score("d", GOOD, "4", {"index": 1}, spec=str(path))
    bad = verl.compute_score("d", GOOD, None, None, spec=str(path))
    assert good == {"score": 1.0, "unscored": 0.0, "correct": 1.0}
    assert bad.keys() == good.keys()
    assert (bad["score"], bad["unscored"]) == (0.0, 1.0)


def test_openrlhf_gets_its_dict():
    out = openrlhf.make(MATH)(["2 + 2?" + GOOD], ["2 + 2?"], ["4"])
    assert out["rewards"] == out["scores"] == [1.5]
    assert out["extra_logs"]["correct"] == [1.0]


def test_ratings_from_columns():
    first, second = ["a", "a", "b", "c"], ["b", "c", "c", "a"]
    (board,) = guerdon.rate(first, second, ["first", "tie", "model_a", "second"])
    assert [r["name"] for r in board["ratings"]] == ["a", "b", "c"]
    assert sum(r["strength"] for r in board["ratings"]) == pytest.approx(0)
    (same,) = guerdon.rate(np.array(first), np.array(second), np.array([1, 0, 1, 2]))
    assert same == board
    two = guerdon.rate(first, second, [1, 0, 1, 2], ["elo", ("bradley_terry", {"ties": "davidson"})])
    assert [b["method"] for b in two] == ["rank.elo", "rank.bradley_terry"]
    with pytest.raises(ValueError, match="unknown outcome 'maybe'"):
        guerdon.rate(["a"], ["b"], ["maybe"])
    with pytest.raises(ValueError, match="bradley_terry"):
        guerdon.rate(first, second, [1, 0, 1, 2], ["bradly_terry"])


def test_state_comes_back():
    spec = {
        "signals": {"r": {"use": "verify.column", "column": "r"}},
        "reward": {"use": "shape.normalize", "over": "running"},
    }
    data = [{"r": r} for r in (1.0, 2.0, 5.0)]
    one, two = guerdon.Spec(spec), guerdon.Spec(spec)
    one.score(data)
    two.restore(one.save())
    assert one.score(data).reward == two.score(data).reward


def test_a_judge_is_a_conversation():
    case = {"prompt": "2 + 2?", "responses": ["4"]}
    step = guerdon.judge.pointwise(case, high=5)
    assert "Score: N" in step["ask"][0]["messages"][-1]["content"]
    told = guerdon.judge.pointwise.run(case, lambda request: "Right.\nScore: 5", high=5)
    assert told["values"] == [5.0]
    with pytest.raises(ValueError, match="unreadable"):
        guerdon.judge.pointwise.run(case, lambda request: "Nice!")


@pytest.fixture
def served(tmp_path: Path):
    """A real endpoint whose judge is simulated."""
    command = os.environ.get("GUERDON")
    if not command:
        pytest.skip("GUERDON does not name the command; `cargo xtask test` sets it")
    script = tmp_path / "models.yaml"
    script.write_text("models: {m: {judge: {sensitivity: 40, noise: 0}}}")
    server = subprocess.Popen([command, "lab", "serve-model", str(script)], stdout=subprocess.PIPE, text=True)
    try:
        yield server.stdout.readline().split()[-1]
    finally:
        server.terminate()
        server.wait()


def test_judges_ask_an_endpoint(served: str, tmp_path: Path):
    models = {"judge": {"url": served, "model": "m"}}
    cache = str(tmp_path / "cache.sqlite")
    spec = guerdon.Spec({"models": models, "cache": cache, "judge": {"use": "judge.pairwise"}})
    pair = {"prompt": "q", "response_a": "good ⟦q=2⟧", "response_b": "bad ⟦q=-2⟧"}
    assert [row["winner"] for row in spec.judge([pair])] == ["model_a"]
    assert spec.ledger["total"]["calls"] == 2
    graded = guerdon.Spec({"models": models, "cache": cache, "signals": {"grade": {"use": "judge.pointwise"}}})
    data = [{"prompt": "q", "completion": f"text ⟦q={q}⟧"} for q in (-1, 1)]
    low, high = graded.score(data).reward
    assert 1 <= low < high <= 10
