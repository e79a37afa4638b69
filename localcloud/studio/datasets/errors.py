"""What the Studio API says of datasets and uploads that are not there, not whole, or there already."""

from __future__ import annotations

from localcloud.facilities.errors import BadArgument, Busy, Conflict, NotFound, Refusal, TooLarge
from localcloud.works.datasets.state import EXTENSIONS

no_dataset = Refusal(NotFound, "DatasetNotFound", "the workspace has no dataset {}")
no_family = Refusal(NotFound, "DatasetNotFound", "the workspace has no dataset of the family {}", "FamilyId")
no_upload = Refusal(
    NotFound,
    "UploadNotFound",
    "the workspace has no upload {}: it is a day old, or became a dataset that is deleted",
)
name_taken = Refusal(
    Conflict,
    "DatasetAlreadyExists",
    "the workspace has a dataset '{}': choose another name, or upload a new version with FamilyId {}",
)
wrong_type = Refusal(
    BadArgument,
    "DataTypeNotSupported",
    "'{}' is not a type of datasets: use one of " + ", ".join(EXTENSIONS),
    "dataTypeId",
)
other_type = Refusal(
    BadArgument, "DataTypeNotSupported", "the upload was begun as {}, not as {}", "DataTypeId"
)
other_number = Refusal(
    BadArgument,
    "InvalidQueryParameter",
    "the upload was begun with {} blocks, not with {}",
    "numberOfBlocks",
)
missing_blocks = Refusal(BadArgument, "MissingInputBlobInformation", "upload {} is not whole: {}", "UploadId")
too_large = Refusal(TooLarge, "RequestBodyTooLarge", "a block has at most {} bytes", "blockId")
storage_failed = Refusal(Busy, "StorageUnavailable", "{}; try again", "UploadId")


def no_text(name: str) -> BadArgument:
    """A member of the dataset's description is missing, or is no text."""
    return BadArgument("BadParameterValue", f"DataSource.{name} is missing, or is no text", name)
