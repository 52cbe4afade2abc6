import hashlib
import json
import tarfile
from pathlib import Path

from devcluster import archive


def test_an_image_is_what_its_manifest_says(tmp_path: Path) -> None:
    image = tmp_path / "image.tar"
    archive.write_image(image, "turnout.dev/pause:dev", {"pause": b"program"}, ["/pause"])
    with tarfile.open(image) as opened:
        [manifest] = json.loads(_read(opened, "manifest.json"))
        config = _read(opened, manifest["Config"])
        layer = _read(opened, manifest["Layers"][0])
    assert manifest["RepoTags"] == ["turnout.dev/pause:dev"]
    assert manifest["Config"] == f"{hashlib.sha256(config).hexdigest()}.json"
    assert json.loads(config)["rootfs"]["diff_ids"] == [
        f"sha256:{hashlib.sha256(layer).hexdigest()}"
    ]
    assert json.loads(config)["config"] == {"Entrypoint": ["/pause"], "User": "65535:65535"}


def test_the_same_files_give_the_same_image(tmp_path: Path) -> None:
    for name in ("a", "b"):
        archive.write_image(tmp_path / name, "x:1", {"pause": b"program"}, ["/pause"])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def _read(opened: tarfile.TarFile, name: str) -> bytes:
    member = opened.extractfile(name)
    assert member is not None
    return member.read()
