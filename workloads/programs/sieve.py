"""The sieve of Eratosthenes: a list read and written by index, loops over ranges."""


def main():
    limit = 5000
    prime = [1] * limit
    count = 0
    for i in range(2, limit):
        if prime[i] == 1:
            count = count + 1
            for j in range(i * i, limit, i):
                prime[j] = 0
    return count
