import pytest
from botocore.exceptions import ClientError

from apps.core.errors import UpstreamError
from apps.deployment.errors import BusyError, StageError, as_stage_error


class TestAsStageError:
    @pytest.mark.parametrize(
        ("code", "kind", "sentence"),
        [
            ("ExpiredTokenException", StageError, "have expired: get new ones and run this again"),
            ("AccessDeniedException", StageError, "AWS has not done this: .*AccessDenied.* with lines"),
            ("ResourceNotFoundException", BusyError, "Run this again"),
        ],
    )
    def test_is_one_sentence_that_says_what_to_do(
        self, code: str, kind: type[StageError], sentence: str
    ) -> None:
        error = UpstreamError()
        error.__cause__ = ClientError({"Error": {"Code": code, "Message": "with\nlines"}}, "CreateFunction")

        explained = as_stage_error(error)

        assert (type(explained), "\n" in str(explained)) == (kind, False)
        with pytest.raises(StageError, match=sentence):
            raise explained
