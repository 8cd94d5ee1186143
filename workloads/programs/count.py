"""Counting in a dict with integer keys."""


def main():
    counts = {}
    x = 1
    for i in range(3000):
        x = (x * 1103515245 + 12345) % 2147483648
        key = x // 65536 % 700
        if key in counts:
            counts[key] = counts[key] + 1
        else:
            counts[key] = 1
    digest = 0
    for key in range(700):
        digest = (digest * 31 + counts.get(key, 0)) % 1000000007
    return digest
