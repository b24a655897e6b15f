"""Runs inside of the machine: takes one command from spec-tests/vm/run, over virtio-serial ports.

run sends one line of JSON on "ctl". It gets the command's output on "out" and "err", and in the end, on "ctl", the
exit code and the number of bytes sent on "out" and on "err".
"""

import base64
import fcntl
import json
import os
import select
import signal
import subprocess
import threading
import time

PORTS = '/dev/virtio-ports/vmrun.'
RNDRESEEDCRNG = 0x5207  # linux/random.h
MOUNT_OPTIONS = 'trans=virtio,version=9p2000.L,msize=512000,access=any'

sent = {}  # bytes written, by descriptor


def open_port(name, flags):
    while True:
        try:
            return os.open(PORTS + name, flags)
        except FileNotFoundError:  # udev is still at it
            time.sleep(0.02)


def write_all(fd, data):
    sent[fd] = sent.get(fd, 0) + len(data)
    while data:
        data = data[os.write(fd, data):]


def pump(source, target, done):
    """Copies until the source ends, or until the command has ended and nothing is left to read: containers that go on
    running may keep it open."""
    while True:
        if select.select([source], [], [], 0 if done.is_set() else 0.05)[0]:
            data = os.read(source, 65536)
            if not data:
                return
            write_all(target, data)
        elif done.is_set():
            return


def mount(share):
    os.makedirs(share['path'], exist_ok=True)
    # cache=loose: as if nobody else wrote there; that is four times as fast.
    options = f'{MOUNT_OPTIONS},cache=loose' + (',ro' if share.get('readonly') else '')
    subprocess.run(['mount', '-t', '9p', '-o', options, share['tag'], share['path']], check=True)


def command_of(request):
    """The command line and its environment."""
    argv, user = request['argv'], request['user']
    if user is None:
        return argv, dict(os.environ, HOME='/root', USER='root', **request['env'])
    # A session of logind by way of PAM, like one of ssh: the command runs in user-UID.slice/session-N.scope, beside the
    # user's systemd --user.
    session = ['systemd-run', '--quiet', '--collect', '--wait', '--pipe', '--service-type=exec']
    for setting in ('PAMName=login', f'User={user}', f'WorkingDirectory={request["cwd"]}',
                    'LimitNOFILE=1048576', 'TasksMax=infinity'):
        session += ['-p', setting]
    for name, value in request['env'].items():
        session += ['-E', f'{name}={value}']
    return session + ['--'] + argv, os.environ


def run(request, out, err):
    """Runs the command and returns its exit code as a shell would say it."""
    argv, environment = command_of(request)
    child = subprocess.Popen(argv, cwd=request['cwd'], env=environment, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    done = threading.Event()
    pumps = [threading.Thread(target=pump, args=(source.fileno(), target, done))
             for source, target in ((child.stdout, out), (child.stderr, err))]
    for thread in pumps:
        thread.start()
    try:
        child.stdin.write(base64.b64decode(request['stdin']))
        child.stdin.close()
    except BrokenPipeError:
        pass  # it does not read
    code = child.wait()
    done.set()
    for thread in pumps:
        thread.join()
    return code if code >= 0 else 128 - code


def read_request(ctl):
    line = b''
    while not line.endswith(b'\n'):
        data = os.read(ctl, 65536)
        if not data:  # nobody is connected
            time.sleep(0.02)
        line += data
    return json.loads(line)


def wake(request):
    """This may be a machine that was saved: it needs the time, and entropy of its own."""
    time.clock_settime(time.CLOCK_REALTIME, request['time'])
    with open('/dev/urandom', 'wb') as urandom:
        urandom.write(base64.b64decode(request['seed']))
        urandom.flush()
        fcntl.ioctl(urandom, RNDRESEEDCRNG)


def main():
    ctl, out, err = open_port('ctl', os.O_RDWR), open_port('out', os.O_WRONLY), open_port('err', os.O_WRONLY)
    subprocess.run(['systemctl', 'is-system-running', '--wait', '--quiet'])  # until the boot is over
    os.write(ctl, b'ready\n')
    request = read_request(ctl)
    wake(request)
    code = 127
    try:
        for share in request['shares']:
            mount(share)
        code = run(request, out, err)
        for share in request['shares']:
            subprocess.run(['sync', '-f', share['path']])
    except Exception as error:
        write_all(err, f'vm/agent: {error}\n'.encode())
    write_all(ctl, b'%d %d %d\n' % (code, sent.get(out, 0), sent.get(err, 0)))
    signal.pause()  # run ends the machine


main()
