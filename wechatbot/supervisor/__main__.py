"""What `manage.py serve` turns into: `python -m wechatbot.supervisor PREPARATION_PID PLAN`."""

import sys

from wechatbot.supervisor.file_limit import raise_file_limit
from wechatbot.supervisor.plan import Plan
from wechatbot.supervisor.run import Supervisor

if __name__ == "__main__":
    raise_file_limit()
    sys.exit(Supervisor(Plan.from_json(sys.argv[2])).run(preparation=int(sys.argv[1])))
