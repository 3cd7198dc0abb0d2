"""The weights of a GGUF file as a folder of safetensors: the same numbers for torch as for llama.cpp."""

from __future__ import annotations

from pathlib import Path


def unpack(file: Path, folder: Path) -> Path:
    """Write the folder. The numbers are as exact as bfloat16 holds them."""
    import torch
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.bfloat16)
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    tied = model.config.tie_word_embeddings
    weights = {
        name: value.to(torch.bfloat16).contiguous()
        for name, value in model.state_dict().items()
        if not (tied and name == "lm_head.weight")
    }
    # `save_pretrained` would look for the quantisation that the file had.
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    model.config.architectures = [type(model).__name__]
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
