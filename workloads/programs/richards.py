"""Richards: the kernel of an operating system schedules six tasks that pass packets to each other.

Written from the description of the benchmark (M. Richards, Bench, 1981; also known from Self, V8 and pyperformance): tasks by
identity: 0 idle, 1 worker, 2 and 3 handlers, 4 and 5 devices; packets are of kind 0, for a device, or 1, work.
1000 rounds of the idle task queue 2322 packets and hold 928 times, in every implementation.
"""


class Packet:
    def __init__(self, link, identity, kind):
        self.link = link
        self.identity = identity
        self.kind = kind
        self.first = 0
        self.data = [0] * 4


def put_last(packet, queue):
    packet.link = None
    if queue is None:
        return packet
    at = queue
    while at.link is not None:
        at = at.link
    at.link = packet
    return queue


class Task:
    def __init__(self, link, identity, priority, queue, waiting, work):
        self.link = link
        self.identity = identity
        self.priority = priority
        self.queue = queue
        self.pending = 0
        if queue is not None:
            self.pending = 1
        self.waiting = waiting
        self.holding = 0
        self.work = work

    def blocked(self):
        if self.holding == 1:
            return 1
        if self.waiting == 1 and self.pending == 0:
            return 1
        return 0

    def add(self, kernel, packet):
        if self.queue is None:
            self.queue = packet
            self.pending = 1
            if self.priority > kernel.current.priority:
                return self
        else:
            self.queue = put_last(packet, self.queue)
        return kernel.current

    def run(self, kernel):
        packet = None
        if self.waiting == 1 and self.pending == 1 and self.holding == 0:
            packet = self.queue
            self.queue = packet.link
            self.waiting = 0
            if self.queue is None:
                self.pending = 0
        return self.work.run(kernel, packet)


class Kernel:
    def __init__(self):
        self.list = None
        self.current = None
        self.table = []
        self.queued = 0
        self.held = 0

    def create(self, priority, queue, waiting, work):
        self.list = Task(self.list, len(self.table), priority, queue, waiting, work)
        self.table.append(self.list)

    def wait(self):
        self.current.waiting = 1
        return self.current

    def hold(self):
        self.held = self.held + 1
        self.current.holding = 1
        return self.current.link

    def release(self, identity):
        task = self.table[identity]
        task.holding = 0
        if task.priority > self.current.priority:
            return task
        return self.current

    def queue(self, packet):
        task = self.table[packet.identity]
        self.queued = self.queued + 1
        packet.link = None
        packet.identity = self.current.identity
        return task.add(self, packet)

    def schedule(self):
        task = self.list
        while task is not None:
            if task.blocked() == 1:
                task = task.link
            else:
                self.current = task
                task = task.run(self)
        self.current = None


class Idle:
    def __init__(self, count):
        self.control = 1
        self.count = count

    def run(self, kernel, packet):
        self.count = self.count - 1
        if self.count == 0:
            return kernel.hold()
        odd = self.control & 1
        self.control = self.control // 2
        if odd == 0:
            return kernel.release(4)
        self.control = self.control ^ 53256
        return kernel.release(5)


class Worker:
    def __init__(self):
        self.handler = 2
        self.letter = 0

    def run(self, kernel, packet):
        if packet is None:
            return kernel.wait()
        self.handler = 5 - self.handler
        packet.identity = self.handler
        packet.first = 0
        for i in range(4):
            self.letter = self.letter + 1
            if self.letter > 26:
                self.letter = 1
            packet.data[i] = self.letter
        return kernel.queue(packet)


class Handler:
    def __init__(self):
        self.work = None
        self.devices = None

    def run(self, kernel, packet):
        if packet is not None:
            if packet.kind == 1:
                self.work = put_last(packet, self.work)
            else:
                self.devices = put_last(packet, self.devices)
        work = self.work
        if work is not None:
            if work.first >= 4:
                self.work = work.link
                return kernel.queue(work)
            packet = self.devices
            if packet is not None:
                self.devices = packet.link
                packet.first = work.data[work.first]
                work.first = work.first + 1
                return kernel.queue(packet)
        return kernel.wait()


class Device:
    def __init__(self):
        self.packet = None

    def run(self, kernel, packet):
        if packet is not None:
            self.packet = packet
            return kernel.hold()
        packet = self.packet
        if packet is None:
            return kernel.wait()
        self.packet = None
        return kernel.queue(packet)


def run(count):
    kernel = Kernel()
    kernel.create(0, None, 0, Idle(count))
    kernel.create(1000, Packet(Packet(None, 1, 1), 1, 1), 1, Worker())
    kernel.create(2000, Packet(Packet(Packet(None, 4, 0), 4, 0), 4, 0), 1, Handler())
    kernel.create(3000, Packet(Packet(Packet(None, 5, 0), 5, 0), 5, 0), 1, Handler())
    kernel.create(4000, None, 1, Device())
    kernel.create(5000, None, 1, Device())
    kernel.schedule()
    return kernel.queued * 100000 + kernel.held


def main():
    return run(150)
