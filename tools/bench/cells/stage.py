"""What one attempt of a contestant finds: a scratch folder, a link, and the servers it asks for."""
import os
import pwd
import shutil
import subprocess

import processes
from machine import run

PORTS = {"ssh": 2022, "rsync": 8730, "nbd": 10809, "http": 8080, "iperf3": 5201, "disksync": 7320}


class Stage:
    """One attempt: made before it, ended after it, nothing of it stays."""

    def __init__(self, workload, link, folder, disksync):
        self.workload, self.link, self.folder, self.disksync = workload, link, folder, disksync
        self.servers = []
        self.root = os.path.join(folder, "d")
        self.target = os.path.join(self.root, "image.img")
        os.makedirs(self.root)
        self.environment = dict(os.environ, DISKSYNC_STATE=self.path("state"), LC_ALL="C.UTF-8")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o600):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def put_old(self):
        """The old image, where the destination has one, as if it had been copied there by hand, with its time."""
        if self.workload.old:
            run("cp", "--sparse=always", "--preserve=timestamps", self.workload.old, self.target)

    def empty_target(self):
        with open(self.target, "wb") as file:
            file.truncate(self.workload.length)

    def serve(self, arguments, ready, near=False):
        side = self.link.near if near else self.link.far
        server = processes.Server(arguments, ready, side, self.environment)
        self.servers.append(server)
        return server

    def listening(self, port):
        """Whether the far side has a TCP listener on a port; asked of the kernel, so that no server sees a visitor."""
        return lambda: f":{port} " in run("ip", "netns", "exec", self.link.far, "ss", "-Hltn", f"sport = :{port}")

    def end(self):
        """Ends the servers; returns (their CPU seconds since the mark, the largest one's peak memory)."""
        ended = [server.end() for server in reversed(self.servers)]
        self.servers = []
        return sum(cpu for cpu, _ in ended), max((peak for _, peak in ended), default=0)

    def said(self):
        """Ends the servers; the last words of each that said something."""
        servers = self.servers
        self.end()
        return [f"; its server: {server.said()}" for server in servers if server.said()]

    def close(self):
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def nbdkit(self, name, path, *more, near=False, tcp=False):
        """nbdkit's file plugin over an image; returns the URI. Over a Unix socket, or on the far side's TCP port."""
        if tcp:
            self.serve(["nbdkit", "-f", "-i", self.link.address, "-p", PORTS["nbd"], *more, "file", path],
                       self.listening(PORTS["nbd"]), near)
            return f"nbd://{self.link.address}:{PORTS['nbd']}"
        socket = self.path(name)
        self.serve(["nbdkit", "-f", "-U", socket, *more, "file", path], lambda: os.path.exists(socket), near)
        return f"nbd+unix:///?socket={socket}"

    def sshd(self):
        """A real sshd with keys and a configuration of its own; returns the client's ssh command, the host is "far"."""
        os.makedirs("/run/sshd", exist_ok=True)
        for key in ("host", "user"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.path(key))
        with open(self.path("user.pub"), encoding="ascii") as file:
            self.write("authorized", file.read())
        with open(self.path("host.pub"), encoding="ascii") as file:
            self.write("known", f"[{self.link.address}]:{PORTS['ssh']} {file.read()}")
        passed = " ".join(f'{name}="{self.environment[name]}"' for name in ("DISKSYNC_STATE", "DOTNET_ROOT") if name in self.environment)
        configuration = self.write("sshd", f"ListenAddress {self.link.address}\nPort {PORTS['ssh']}\nHostKey {self.path('host')}\n"
                                   f"AuthorizedKeysFile {self.path('authorized')}\nPidFile none\nStrictModes no\nUsePAM no\n"
                                   f"PermitRootLogin yes\nPasswordAuthentication no\nSetEnv {passed}\n"
                                   "Subsystem sftp internal-sftp\nMaxStartups 100\n")
        client = self.write("ssh", f"Host far\n HostName {self.link.address}\n Port {PORTS['ssh']}\n User {pwd.getpwuid(os.getuid()).pw_name}\n"
                            f" IdentityFile {self.path('user')}\n IdentitiesOnly yes\n UserKnownHostsFile {self.path('known')}\n"
                            " GlobalKnownHostsFile /dev/null\n BatchMode yes\n StrictHostKeyChecking yes\n")
        self.serve(["/usr/sbin/sshd", "-D", "-e", "-f", configuration], self.listening(PORTS["ssh"]))
        return f"ssh -F {client}"

    def rsync_daemon(self):
        configuration = self.write("rsyncd", f"port = {PORTS['rsync']}\naddress = {self.link.address}\nuse chroot = no\n"
                                   f"[d]\npath = {self.root}\nread only = no\nuid = {os.getuid()}\ngid = {os.getgid()}\n")
        self.serve(["rsync", "--daemon", "--no-detach", f"--config={configuration}"], self.listening(PORTS["rsync"]))
        return f"rsync://{self.link.address}:{PORTS['rsync']}/d/image.img"

    def nginx(self):
        """Serves the scratch folder's "web"; zsync asks for many ranges in one request."""
        os.makedirs(self.path("web"), exist_ok=True)
        configuration = self.write("nginx.conf", f"daemon off;\nworker_processes 1;\nuser root;\npid {self.path('nginx.pid')};\n"
                                   f"error_log {self.path('nginx.log')};\nevents {{}}\nhttp {{\naccess_log off;\nsendfile on;\n"
                                   + "".join(f"{kind}_temp_path {self.path('tmp-' + kind)};\n" for kind in
                                             ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
                                   + f"server {{ listen {self.link.address}:{PORTS['http']}; root {self.path('web')}; }}\n}}\n")
        self.serve(["/usr/sbin/nginx", "-c", configuration, "-e", self.path("nginx.log")], self.listening(PORTS["http"]))
        return f"http://{self.link.address}:{PORTS['http']}"

    def receiver(self, *listen):
        """disksync receive; listen is its address: unix:SOCKET, or tcp:ADDRESS:PORT with what belongs to it."""
        ready = self.listening(PORTS["disksync"]) if listen[0].startswith("tcp:") else lambda: os.path.exists(listen[0][5:])
        self.serve([self.disksync, "receive", "--quiet", "--listen", *listen, "--root", self.root, "--state", self.path("state-far")], ready)

    def aside(self, *arguments):
        """A command on the near side that belongs to the set-up: not timed, not counted."""
        done = subprocess.run(["nsenter", f"--net=/run/netns/{self.link.near}", *map(str, arguments)], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, env=self.environment)
        if done.returncode != 0:
            raise processes.Failed(f"{' '.join(map(str, arguments[:2]))}, before the clock: exit code {done.returncode}: "
                                   f"{done.stderr.strip()[-300:]}")
        return done.stdout
