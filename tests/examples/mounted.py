"""The example's manifests, and the files that the operator makes of them in a pod."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

EXAMPLE = Path(__file__).parents[2] / "examples" / "support-agent"
PROMPTS = ("prompt", "prompt-better", "prompt-reworded", "prompt-worse")


def manifests(name: str) -> list[dict[str, Any]]:
    """The documents of one of the example's manifests."""
    text = (EXAMPLE / "manifests" / f"{name}.yaml").read_text()
    return list(yaml.safe_load_all(text))


def spec(name: str) -> dict[str, Any]:
    """The spec of a manifest with one document."""
    (document,) = manifests(name)
    return dict(document["spec"])


def prompt_text(name: str) -> str:
    """The words of a prompt."""
    return str(spec(name)["text"])


def mount(
    folder: Path,
    tools_url: str,
    *,
    prompt: str = "prompt",
    text: str | None = None,
    policy: Mapping[str, Any] | None = None,
    model: Mapping[str, Any] | None = None,
    tools: Mapping[str, Any] | None = None,
) -> Path:
    """Write a version's content as the operator mounts it."""
    if tools is None:
        tools = spec("tools")
        tools["servers"][0]["url"] = tools_url
    agent = {
        "agent": "support",
        "namespace": "support",
        "version": "support-0123456789",
        "digest": "sha256:0",
        "model": {**spec("agent")["model"], **(model or {})},
        "prompts": [
            {
                "name": "support-system",
                "role": "System",
                "format": "Plain",
                "file": "prompt.support-system.txt",
            }
        ],
        "tools": "tools.json",
        "policy": "policy.json",
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prompt.support-system.txt").write_text(text or prompt_text(prompt))
    (folder / "tools.json").write_text(json.dumps(tools))
    (folder / "policy.json").write_text(json.dumps(policy or spec("policy")))
    (folder / "agent.json").write_text(json.dumps(agent))
    return folder
