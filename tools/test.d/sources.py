# SPDX-License-Identifier: BSD-3-Clause
"""The files of the working tree, new ones too. To be imported."""
import os
import subprocess


def tracked(*patterns):
    """Those that match a pattern of git; all, if there is none. In the top folder."""
    listed = subprocess.run(["git", "-c", f"safe.directory={os.getcwd()}", "ls-files", "--cached",
                             "--others", "--exclude-standard", "--", *patterns],
                            capture_output=True, text=True, check=True)
    return [path for path in listed.stdout.splitlines() if os.path.exists(path)]
