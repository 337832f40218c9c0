"""A replica keeps up with its master whoever asks, and whatever those do who hear of it."""

import asyncio
import json

import pytest

from xapi_shim.database.database import Database
from xapi_shim.database.replication import batch_document, batch_since
from xapi_shim.datamodel.errors import CannotContactHostError
from xapi_shim.datamodel.registry import DATAMODEL
from xapi_shim.pool import replica as replica_module
from xapi_shim.pool.link import LinkError
from xapi_shim.pool.replica import Replica


class Wire:
    """A link without a network to a master's database; while it is `away` it is broken, and calls `refused`."""

    address = "192.0.2.1"

    def __init__(self, master):
        self.master, self.asked, self.away, self.refused = master, 0, False, lambda: None

    def post(self, path, document, **how):
        self.asked += 1
        if self.away:
            self.refused()
            raise LinkError(self.address, "away")
        batch = batch_since(self.master, document["epoch"], document["since"])
        return json.loads(json.dumps(batch_document(batch)))

    def close(self):
        self.away = True


@pytest.fixture
def wire():
    return Wire(Database(DATAMODEL))


@pytest.fixture
def replica(wire):
    made = Replica(Database(DATAMODEL), wire, "")
    yield made
    made.close()


def network(master, label="n"):
    return master.create("network", {"name_label": label, "bridge": label})


async def test_what_one_has_brought_the_others_do_not_ask_for(wire, replica):
    await replica.catch_up()
    network(wire.master)
    wire.asked = 0
    await asyncio.gather(*(replica.catch_up() for _ in range(4)))
    assert (wire.asked, len(replica.db.refs("network"))) == (4, 1)


async def test_changes_can_be_sent_as_soon_as_the_master_answers_again(wire, replica):
    await replica.catch_up()
    wire.away = True
    with pytest.raises(CannotContactHostError):
        replica.commit(())
    wire.away = False
    wire.asked = 0
    with pytest.raises(CannotContactHostError):
        replica.commit(())
    assert wire.asked == 0
    await replica.catch_up()
    assert replica.commit(()).generation == wire.master.generation


async def test_a_listener_that_fails_does_not_end_following(wire, replica, monkeypatch):
    monkeypatch.setattr(replica_module, "LONGEST_RETRY_S", 0)
    heard = asyncio.Event()

    def listen():
        if len(replica.db.refs("network")) == 1:
            network(wire.master, "another")
            raise OSError("no space left")
        heard.set()

    network(wire.master)
    replica.db.on_change(listen)
    following = asyncio.create_task(replica.follow())
    await asyncio.wait_for(heard.wait(), 30)
    following.cancel()
    assert len(replica.db.refs("network")) == 2


async def test_the_return_of_the_master_is_told(wire, replica, monkeypatch):
    monkeypatch.setattr(replica_module, "LONGEST_RETRY_S", 0)
    returned, failed, loop = asyncio.Event(), asyncio.Event(), asyncio.get_running_loop()
    replica.returned = returned.set
    wire.away, wire.refused = True, lambda: loop.call_soon_threadsafe(failed.set)
    following = asyncio.create_task(replica.follow())
    await asyncio.wait_for(failed.wait(), 30)
    assert not returned.is_set()
    wire.away = False
    await asyncio.wait_for(returned.wait(), 30)
    following.cancel()


async def test_a_master_that_is_away_for_days_is_waited_for(wire, replica, monkeypatch):
    monkeypatch.setattr(replica_module, "LONGEST_RETRY_S", 0)
    network(wire.master)
    asked = []

    def waiting():
        asked.append(None)
        wire.away = len(asked) < 1200

    wire.away = True
    await asyncio.wait_for(replica.fill(waiting), 60)
    assert len(replica.db.refs("network")) == 1
