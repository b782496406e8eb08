"""Bytes in any packing and encoding → lines."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.door.quarantine import Quarantine
from graphrec.errors import DataError
from graphrec.read import archives
from graphrec.read.archives import is_zip, unpack
from graphrec.read.encodings import find_encoding, guess, is_utf8
from graphrec.read.streams import blocks, head, lines, slurp, unpacked


def zstd(data: bytes) -> bytes:
    return pa.compress(data, codec="zstd", asbytes=True)  # type: ignore[no-any-return]


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd, "": bytes
}  # fmt: skip
TEXT = "".join(f"Zeile {n} {n * 7919 % 1000}\n" for n in range(40_000)).encode()


@pytest.mark.parametrize("ending", PACKERS)
def test_packed_files(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.txt{ending}"
    path.write_bytes(PACKERS[ending](TEXT))
    assert slurp(path, Quarantine()) == TEXT
    assert head(path) == TEXT[: 1 << 16]
    assert [n for n, _ in lines(path, Quarantine())] == list(range(1, 40_001))


@pytest.mark.parametrize("ending", [e for e in PACKERS if e])
def test_a_stream_that_breaks_off_keeps_what_came_before(tmp_path: Path, ending: str) -> None:
    packed = PACKERS[ending](TEXT)
    path = tmp_path / f"a.txt{ending}"
    path.write_bytes(packed[: len(packed) * 2 // 3])
    quarantine = Quarantine()
    found = slurp(path, quarantine)
    assert TEXT.startswith(found)
    assert found.endswith(b"\n") or not found
    assert [(b.line, b.reason) for b in quarantine] == [(found.count(b"\n") + 1, "the compressed file breaks off")]


def test_a_file_is_unpacked_by_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(gzip.compress(TEXT))
    assert slurp(path, Quarantine()) == TEXT
    for plain in (b"\x1f\x8b is no gzip\n", b"BZh9 neither\n", b"\x28\xb5\x2f\xfd nor this\n"):
        path.write_bytes(plain)
        assert b"".join(unpacked(path)) == plain


@given(st.text(st.characters(codec="utf-8", exclude_characters="\ufeff\x00\r"), max_size=40), st.integers(4, 12))
def test_wide_encodings_in_small_blocks(tmp_path_factory: pytest.TempPathFactory, text: str, size: int) -> None:
    path = tmp_path_factory.mktemp("w") / "a.txt"
    for encoding in ("utf-16", "utf-32", "utf-8-sig"):
        path.write_bytes(text.encode(encoding))
        found = list(blocks(path, Quarantine(), encoding, size))
        assert b"".join(block for _, block in found).decode() == text
        for number, _ in found:
            assert number == 1 + sum(block.count(b"\n") for n, block in found if n < number)


def test_carriage_returns_alone_end_lines(tmp_path: Path) -> None:
    path = tmp_path / "mac.csv"
    path.write_bytes(b"a,b\r1,2\r3,4")
    assert list(lines(path, Quarantine())) == [(1, b"a,b\n"), (2, b"1,2\n"), (3, b"3,4")]
    path.write_bytes(b"a,b\r\n1,x\ry\r\n")
    assert list(lines(path, Quarantine())) == [(1, b"a,b\r\n"), (2, b"1,x\ry\r\n")]


SAMPLES = [
    ("Größe und Maß, schöne Küche", "cp1252"),
    ("très bon, déjà vu", "latin-1"),
    ("Žluťoučký kůň úpěl ďábelské ódy", "cp1250"),
    ("Очень хорошо, мне нравится", "cp1251"),
    ("质量很好，推荐购买", "gb18030"),
    ("とても良い商品です", "shift_jis"),
    ("아주 좋아요 추천합니다", "euc_kr"),
]


@pytest.mark.parametrize(("text", "encoding"), SAMPLES)
def test_legacy_encodings_are_known_by_their_letters(tmp_path: Path, text: str, encoding: str) -> None:
    found, why = guess(text.encode(encoding))
    assert text.encode(encoding).decode(found) == text
    assert "by its letters" in why
    path = tmp_path / "a.csv"
    path.write_bytes(b"user_id,review\n" + b"".join(b"%d," % n + text.encode(encoding) + b"\n" for n in range(50)))
    assert text.encode(encoding).decode(find_encoding(path)[0]) == text
    assert not is_utf8(path)


def test_the_encoding_is_proven_over_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    path.write_bytes(b"a,b\n" * 40_000 + "é,è\n".encode("latin-1") * 400)
    assert find_encoding(path)[0] == "cp1252"
    path.write_bytes("é,è\n".encode() * 4000 + b"\xe9\n")
    assert find_encoding(path) == ("utf-8", "")
    path.write_bytes(b"a,b\n" * 4000 + b"\xe9\n")  # one line of thousands is set aside
    assert find_encoding(path) == ("utf-8", "")
    path.write_bytes("Gr\xf6\xdfe,b\n".encode("latin-1") + b"1,2\n" * 4000)  # but not the header
    assert find_encoding(path)[0] == "cp1252"
    path.write_bytes("a,b\n1,2\n".encode("utf-16-le"))
    assert find_encoding(path) == ("utf-16-le", "UTF-16-LE by its zeros between the letters")


def zipped(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_a_zip_is_a_folder(tmp_path: Path) -> None:
    files = {"shop/a.csv": "x", "shop/deep/b.csv": "y", "__MACOSX/shop/a.csv": "-", "shop/.DS_Store": "-"}
    path = zipped(tmp_path / "shop.zip", files)
    assert is_zip(path)
    (tmp_path / "out").mkdir()
    folder = unpack(path, tmp_path / "out")
    assert folder == tmp_path / "out" / "shop"
    found = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    assert found == ["a.csv", "deep/b.csv"]


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "C:\\x", "..\\x"])
def test_a_zip_writes_nothing_outside_of_the_folder(tmp_path: Path, name: str) -> None:
    out = tmp_path / "deep" / "out"
    out.mkdir(parents=True)
    with pytest.raises(DataError, match="lies outside"):
        unpack(zipped(tmp_path / "a.zip", {name: "x"}), out)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [tmp_path / "a.zip"]


def test_a_zip_that_grows_beyond_reason_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "FREE_BYTES", 1000)
    path = zipped(tmp_path / "bomb.zip", {"a.csv": "0" * 10_000_000})
    with pytest.raises(DataError, match="more than 300 times its size"):
        unpack(path, tmp_path)


def test_a_broken_zip(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.csv": "text " * 100})
    path.write_bytes(path.read_bytes()[:40])
    assert not is_zip(path)
    with pytest.raises(DataError, match="not a readable zip file"):
        unpack(path, tmp_path)
