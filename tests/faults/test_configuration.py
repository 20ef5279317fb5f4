"""Configuration that changes all the time while alerts are delivered."""

import threading

from runtime.testing.loopback import LoopbackServer


def test_no_endpoint_sees_what_belongs_to_another(start_kapacitord, sink, kit):
    with LoopbackServer() as one, LoopbackServer() as two:
        both = {"one": one, "two": two}
        changes = [
            {"enabled": True, "url": f"{each.url}/{name}", "token": f"token-{name}"}
            for name, each in both.items()
        ]
        server = start_kapacitord(kit.sections(sink))
        server.json("POST", "/config/hipchat/", {"set": changes[0]})
        kit.define(server, ())
        handler = {"id": "chat", "kind": "hipchat", "options": {"room": "r"}}
        server.json("POST", "/alerts/topics/cpu/handlers", handler)
        ledger = kit.ledger(())
        writers = [kit.writer(server, ledger, host) for host in ("h1", "h2")]
        for writer in writers:
            writer.start()
        stopping = threading.Event()

        def flip():
            while not stopping.is_set():
                for change in changes:
                    server.json("POST", "/config/hipchat/", {"set": change})

        flippers = [threading.Thread(target=flip) for _ in range(2)]
        for flipper in flippers:
            flipper.start()
        wanted = 1000 if kit.long else 50
        kit.until(lambda: min(s.received.qsize() for s in both.values()) >= wanted)
        stopping.set()
        for thread in (*flippers, *writers):
            (thread.join if thread in flippers else thread.stop)()
        kit.until(lambda: not server.json("GET", "/deliveries")["deliveries"])
        for name, each in both.items():
            while each.received.qsize():
                request = each.received.get()
                assert request.path.startswith(f"/{name}/")
                assert request.query["auth_token"] == f"token-{name}"
