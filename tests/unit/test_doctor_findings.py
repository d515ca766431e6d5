"""What the doctor says of folders that others may look into."""

from pathlib import Path

import pytest

from deploy.doctor import settings_findings
from deploy.settings import Settings


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o705, 0o710])
def test_a_folder_that_others_may_look_into_is_a_warning(tmp_path: Path, mode: int) -> None:
    data, reports = tmp_path / "data", tmp_path / "reports"
    for folder in (data, reports):
        folder.mkdir(mode=0o700)
    settings = Settings(data_dir=data, reports_dir=reports)

    def warned() -> list[str]:
        found = settings_findings(settings)
        return [each.where for each in found if each.level == "warning" and "chmod 700" in each.remedy]

    assert warned() == []
    data.chmod(mode)
    assert warned() == [str(data)]
    reports.chmod(mode)
    assert warned() == [str(data), str(reports)]
