"""Who lives is who asks."""

import asyncio

from xapi_shim.database.database import Database
from xapi_shim.datamodel.registry import DATAMODEL
from xapi_shim.pool.members import Members


async def test_an_answer_to_who_is_gone_does_not_make_him_live():
    """A host that was declared dead while it waited for news: the news is that."""
    db = Database(DATAMODEL)
    metrics = db.create("host_metrics", {})
    host = db.create("host", {"metrics": metrics})
    members = Members(db, lambda: "", 443)
    uuid = db.text("host", host, "uuid")
    first = await members.serve({"host": uuid, "epoch": "", "since": 0, "wait_s": 0})
    assert (db.flag("host_metrics", metrics, "live"), members.hears(host)) == (True, True)
    asked = {"host": uuid, "epoch": first["epoch"], "since": first["generation"], "wait_s": 20}
    waiting = asyncio.create_task(members.serve(asked))
    await asyncio.sleep(0)
    db.set("host_metrics", metrics, "live", value=False)
    assert (await waiting)["generation"] == db.generation
    assert not db.flag("host_metrics", metrics, "live")
    members.close()
