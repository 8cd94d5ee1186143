"""Instances in a ring call each other's methods and change attributes."""


class Account:
    def __init__(self, rate):
        self.rate = rate
        self.total = 1000
        self.calls = 0
        self.next = None

    def pay(self, amount):
        self.total = self.total - amount
        self.calls = self.calls + 1
        self.next.receive(amount)

    def receive(self, amount):
        self.total = self.total + amount * self.rate // 100


def main():
    accounts = []
    for i in range(20):
        accounts.append(Account(90 + i))
    for i in range(20):
        accounts[i].next = accounts[(i + 1) % 20]
    account = accounts[0]
    for i in range(1500):
        account.pay(i % 50)
        account = account.next
    digest = 0
    for account in accounts:
        digest = (digest * 31 + account.total + account.calls) % 1000000007
        account.next = None
    return digest
