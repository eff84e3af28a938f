"""Runs a plugin and writes down every frame in both directions: `tee.py LOG PROGRAM ARGUMENT…`."""
import subprocess
import sys
import threading

log, lock = open(sys.argv[1], "ab"), threading.Lock()
child = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def copy(name, source, target):
    for line in source:
        with lock:
            log.write(name + b" " + line)
            log.flush()
        target.write(line)
        target.flush()


def feed():
    copy(b"hub", sys.stdin.buffer, child.stdin)
    child.stdin.close()


threading.Thread(target=feed, daemon=True).start()
copy(b"plugin", child.stdout, sys.stdout.buffer)
sys.exit(child.wait())
