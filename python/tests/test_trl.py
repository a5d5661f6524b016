"""The adapter in a real `GRPOTrainer`, where TRL is installed."""

import json

import pytest

trl = pytest.importorskip("trl")
datasets = pytest.importorskip("datasets")
transformers = pytest.importorskip("transformers")

from guerdon.trl import reward_funcs  # noqa: E402

SPEC = {
    "signals": {"digits": {"use": "verify.number"}, "words": {"use": "verify.length", "unit": "characters"}},
    "reward": [{"use": "shape.combine", "weights": {"digits": 1.0, "words": 0.01}}],
}


def tiny_tokenizer(folder):
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocab = {chr(c): i for i, c in enumerate(range(32, 127))}
    vocab.update({"<pad>": 95, "<eos>": 96, "<unk>": 97})
    tokenizer = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>"
    )


def test_a_real_trainer_trains_on_a_spec(tmp_path):
    tokenizer = tiny_tokenizer(tmp_path)
    config = transformers.GPT2Config(
        vocab_size=98, n_positions=64, n_embd=16, n_layer=1, n_head=2, bos_token_id=96, eos_token_id=96, pad_token_id=95
    )
    data = datasets.Dataset.from_list([{"prompt": f"{a}+1=", "reference": str(a + 1)} for a in range(8)])
    trainer = trl.GRPOTrainer(
        model=transformers.GPT2LMHeadModel(config),
        processing_class=tokenizer,
        reward_funcs=reward_funcs(SPEC),
        train_dataset=data,
        args=trl.GRPOConfig(
            output_dir=str(tmp_path),
            max_steps=2,
            per_device_train_batch_size=4,
            num_generations=4,
            max_completion_length=8,
            logging_steps=1,
            report_to=[],
            use_cpu=True,
            save_strategy="no",
        ),
    )
    trainer.train()
    logs = [entry for entry in trainer.state.log_history if "rewards/guerdon/mean" in entry]
    assert logs, json.dumps(trainer.state.log_history)
    assert all(entry["rewards/guerdon/mean"] > 0 for entry in logs)
