"""`portevoix up`: the whole product on one machine, from one process.

The supervisor imports the application once and forks every part from it: web, workers and
scheduler, beside an embedded queue server where none is given. It opens no connection
itself. A part that dies is ended with everything it started, said on the terminal, and
started again after a pause that grows. Whatever happens to the supervisor, the kernel ends
the parts with it.
"""

from app.supervisor.product import Companion, Product
from app.supervisor.up import up

__all__ = ["Companion", "Product", "up"]
