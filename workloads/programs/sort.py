"""Shell's sort of pseudo-random integers: comparisons and moves within a list."""


def fill(values, count):
    x = 1
    for i in range(count):
        x = (x * 1103515245 + 12345) % 2147483648
        values.append(x // 1024)


def sort(values):
    gap = len(values) // 2
    while gap > 0:
        for i in range(gap, len(values)):
            item = values[i]
            j = i
            while j >= gap and values[j - gap] > item:
                values[j] = values[j - gap]
                j = j - gap
            values[j] = item
        gap = gap // 2


def main():
    values = []
    fill(values, 500)
    sort(values)
    digest = 0
    for value in values:
        digest = (digest * 31 + value) % 1000000007
    return digest
