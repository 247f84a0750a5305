"""Contents of packages in an S3-compatible object store.

    s3://<bucket>/<prefix><key>.csar

An upload goes out in parts of 8 MiB, one after the other, and is there when the store has put them together, so what is
under its key is whole. The store keeps parts of uploads that nobody finished until they are given up: `delete` does that by
key, which is in the database before the first part is sent. Reading is by ranges: a package is looked into where it is, and
no copy of it is made on this machine's disk.

botocore (the extra `s3`) signs, retries and knows credentials; docs/decisions/0010 says why. It is imported when it is needed.
"""

from __future__ import annotations

import base64
import hashlib
import io
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

from fairlead.errors import FairleadError, StorageFull, StorageUnavailable

__all__ = ["S3Access", "S3Storage"]

_PART: Final = 8 * 2**20
_PARTS_OF_A_SIZE: Final = 2000
"""Parts after which parts get larger: S3 takes 10,000 at most."""
_SMALLEST_READ: Final = 2**18
_LARGEST_READ: Final = 8 * 2**20
_READS: Final = 3
_MISSING: Final = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchUpload"})
_FULL: Final = frozenset({"XMinioStorageFull", "QuotaExceeded", "InsufficientStorage", "InsufficientCapacity"})
_PASSING: Final = frozenset({"SlowDown", "RequestTimeout", "Throttling", "ServiceUnavailable", "InternalError"})


@dataclass(frozen=True, kw_only=True)
class S3Access:
    """Where the objects are. Without keys the credentials are found as all of Amazon's tools find them (environment, files,
    the machine's role); without an endpoint it is Amazon's."""

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None
    access_key: str | None = None
    secret_key: str | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    attempts: int = 4


class S3Storage:
    """Contents in a bucket; files taken out of packages stay in a directory of this machine, `<data>/artifacts`."""

    def __init__(self, data: Path, access: S3Access, *, reserve: int = 256 * 2**20) -> None:
        self._access = access
        self.artifacts = data / "artifacts"
        self.reserve = reserve
        self.artifacts.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._making = threading.Lock()
        self._made: Any = None

    def open_upload(self, key: str) -> S3Upload:
        return S3Upload(self, key)

    def open(self, key: str) -> IO[bytes]:
        size = self.size(key)
        if size is None:
            raise FileNotFoundError(self.place(key))
        return cast(IO[bytes], _Ranged(self, key, size))

    def size(self, key: str) -> int | None:
        try:
            answer = self.call("head_object", key)
        except FileNotFoundError:
            return None
        return int(answer["ContentLength"])

    def delete(self, key: str) -> None:
        self.end_uploads(key)
        with suppress(FileNotFoundError):
            self.call("delete_object", key)

    def end_uploads(self, key: str) -> None:
        """Have the store drop the parts of uploads to `key` that were not put together. Raises as `call`."""
        path = self._path(key)
        for one in self.call("list_multipart_uploads", None, Prefix=path).get("Uploads", ()):
            if one["Key"] == path:
                with suppress(FileNotFoundError):
                    self.call("abort_multipart_upload", key, UploadId=one["UploadId"])

    def place(self, key: str) -> str:
        return f"s3://{self._access.bucket}/{self._path(key)}"

    def read(self, key: str, start: int, stop: int) -> bytes:
        """The bytes from `start` to before `stop`. Raises as `PackageStorage.open`."""
        for attempt in range(_READS):
            try:
                answer = self.call("get_object", key, Range=f"bytes={start}-{stop - 1}")
                with self._telling(key), closing(answer["Body"]) as body:
                    found = bytes(body.read())
            except StorageUnavailable:
                if attempt + 1 == _READS:
                    raise
            else:
                if len(found) == stop - start:
                    return found
        raise StorageUnavailable(
            "The object store gave less of a package than was asked for.",
            cause=f"{self.place(key)}: {len(found)} bytes of {stop - start}",
            remedy="Look at the object store, and try again.",
        )

    def call(self, name: str, key: str | None, **arguments: Any) -> Any:
        """A call of the store's. Raises FileNotFoundError, StorageFull, StorageUnavailable, OSError."""
        if key is not None:
            arguments["Key"] = self._path(key)
        with self._telling(key):
            return getattr(self._client(), name)(Bucket=self._access.bucket, **arguments)

    def _path(self, key: str) -> str:
        return f"{self._access.prefix}{key}.csar"

    def _client(self) -> Any:
        with self._making:
            if self._made is None:
                self._made = _client(self._access)
            return self._made

    @contextmanager
    def _telling(self, key: str | None) -> Iterator[None]:
        """What the store or the way to it says, in the words of this room."""
        from botocore import exceptions

        place = self.place(key) if key is not None else f"s3://{self._access.bucket}"
        try:
            yield
        except exceptions.ClientError as error:
            raise _told(place, error.response) from error
        except (
            exceptions.HTTPClientError,
            exceptions.IncompleteReadError,
            exceptions.ReadTimeoutError,
            exceptions.ConnectionError,
        ) as error:
            raise _unavailable(place, str(error)) from error
        except exceptions.BotoCoreError as error:
            raise OSError(f"{place}: {error}") from error


class S3Upload:
    """One upload into a bucket: in one piece while it is small, then in parts."""

    def __init__(self, storage: S3Storage, key: str) -> None:
        self._storage, self._key = storage, key
        self._held = bytearray()
        self._size = 0
        self._id: str | None = None
        self._parts: list[dict[str, Any]] = []

    def write(self, part: bytes) -> None:
        self._held += part
        self._size += len(part)
        if len(self._held) >= _PART * (1 + len(self._parts) // _PARTS_OF_A_SIZE):
            self._send()

    def commit(self) -> None:
        if self._id is None:
            body = bytes(self._held)
            self._storage.call("put_object", self._key, Body=body, ContentMD5=_md5(body), ContentType="application/zip")
        else:
            if self._held:
                self._send()
            self._complete(self._id)
            # One that was begun twice, because the first answer was lost, has a twin.
            self._storage.end_uploads(self._key)
        size = self._storage.size(self._key)
        if size != self._size:
            raise OSError(f"{self._storage.place(self._key)} has {size} bytes, {self._size} were sent")

    def abort(self) -> None:
        self._held.clear()
        self._storage.delete(self._key)

    def _send(self) -> None:
        if self._id is None:
            answer = self._storage.call("create_multipart_upload", self._key, ContentType="application/zip")
            self._id = str(answer["UploadId"])
        body, number = bytes(self._held), len(self._parts) + 1
        self._held.clear()
        answer = self._storage.call(
            "upload_part", self._key, UploadId=self._id, PartNumber=number, Body=body, ContentMD5=_md5(body)
        )
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})

    def _complete(self, id: str) -> None:
        """Have the parts put together. When the answer was lost, the upload is gone at the next try, and the object there."""
        with suppress(FileNotFoundError):
            self._storage.call(
                "complete_multipart_upload", self._key, UploadId=id, MultipartUpload={"Parts": self._parts}
            )


class _Ranged(io.RawIOBase):
    """An object as a file. Reading on asks for ever larger ranges, up to 8 MiB; going elsewhere begins small again."""

    def __init__(self, storage: S3Storage, key: str, size: int) -> None:
        self._storage, self._key, self._size = storage, key, size
        self._at = 0
        self._start, self._held = 0, memoryview(b"")
        self._window = _SMALLEST_READ

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max((0, self._at, self._size)[whence] + offset, 0)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        left = max(self._size - self._at, 0)
        left = left if size is None or size < 0 else min(size, left)
        parts: list[memoryview] = []
        while left > 0:
            offset = self._at - self._start
            if not 0 <= offset < len(self._held):
                self._load()
                offset = self._at - self._start
            part = self._held[offset : offset + left]
            parts.append(part)
            self._at += len(part)
            left -= len(part)
        return b"".join(parts)

    def readinto(self, buffer: Any) -> int:
        found = self.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def _load(self) -> None:
        goes_on = self._at == self._start + len(self._held) and len(self._held) > 0
        self._window = min(2 * self._window, _LARGEST_READ) if goes_on else _SMALLEST_READ
        # Near the end, where an archive's table is, what is before it is wanted next.
        start = self._at if goes_on else min(self._at, max(self._size - self._window, 0))
        stop = min(start + self._window, self._size)
        self._held = memoryview(b"")
        self._start, self._held = start, memoryview(self._storage.read(self._key, start, stop))


def _client(access: S3Access) -> Any:
    try:
        import botocore.config
        import botocore.session
    except ImportError as error:
        raise FairleadError(
            "Packages are to be kept in S3, and its client is not installed.",
            code="storage-client-missing",
            cause=str(error),
            remedy="Install Fairlead with the extra s3: pip install 'fairlead[s3]'.",
        ) from error
    config = botocore.config.Config(
        connect_timeout=access.connect_timeout,
        read_timeout=access.read_timeout,
        retries={"mode": "standard", "total_max_attempts": access.attempts},
        max_pool_connections=16,
        # Stores other than Amazon's want the bucket in the path, and know no check sums but Content-MD5.
        s3={"addressing_style": "path" if access.endpoint else "auto"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    session = botocore.session.Session()
    return session.create_client(
        "s3",
        region_name=access.region or (None if access.endpoint is None else "us-east-1"),
        endpoint_url=access.endpoint,
        aws_access_key_id=access.access_key,
        aws_secret_access_key=access.secret_key,
        config=config,
    )


def _told(place: str, response: Any) -> Exception:
    code = str(response.get("Error", {}).get("Code", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    words = f"{place}: {status} {code} {response.get('Error', {}).get('Message', '')}".strip()
    if code in _MISSING:
        return FileNotFoundError(words)
    if status == 507 or code in _FULL:
        return StorageFull(
            "The object store that packages are kept in is full.",
            cause=words,
            remedy="Delete packages that are not needed, or give the store more room, and try again.",
        )
    if status >= 500 or status == 429 or code in _PASSING:
        return _unavailable(place, words)
    return OSError(words)


def _unavailable(place: str, cause: str) -> StorageUnavailable:
    return StorageUnavailable(
        "The object store that packages are kept in does not answer as it should.",
        cause=cause if place in cause else f"{place}: {cause}",
        remedy="Look at the object store and the way to it, and try again.",
    )


def _md5(body: bytes) -> str:
    """The only check sum that every store takes; it guards the way there, not against anybody."""
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
