"""Five bodies attract each other: floats, and attributes of instances."""


class Body:
    def __init__(self, x, y, z, vx, vy, vz, mass):
        self.x = x
        self.y = y
        self.z = z
        self.vx = vx
        self.vy = vy
        self.vz = vz
        self.mass = mass


def attract(a, b, dt):
    dx = a.x - b.x
    dy = a.y - b.y
    dz = a.z - b.z
    square = dx * dx + dy * dy + dz * dz
    strength = dt / (square * square ** 0.5)
    pull = b.mass * strength
    a.vx = a.vx - dx * pull
    a.vy = a.vy - dy * pull
    a.vz = a.vz - dz * pull
    pull = a.mass * strength
    b.vx = b.vx + dx * pull
    b.vy = b.vy + dy * pull
    b.vz = b.vz + dz * pull


def advance(bodies, dt):
    count = len(bodies)
    for i in range(count):
        for j in range(i + 1, count):
            attract(bodies[i], bodies[j], dt)
    for body in bodies:
        body.x = body.x + dt * body.vx
        body.y = body.y + dt * body.vy
        body.z = body.z + dt * body.vz


def main():
    bodies = [
        Body(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.5),
        Body(4.84, -1.16, -0.10, 0.61, 2.81, -0.02, 0.0377),
        Body(8.34, 4.12, -0.40, -1.01, 1.82, 0.008, 0.0113),
        Body(12.9, -15.1, -0.22, 1.08, 0.87, -0.01, 0.0017),
        Body(15.4, -25.9, 0.18, 0.98, 0.59, -0.03, 0.002),
    ]
    for step in range(30):
        advance(bodies, 0.01)
    digest = 0.0
    for body in bodies:
        digest = digest + body.x * body.vy - body.y * body.vx
    return int(digest * 1000000000.0)
