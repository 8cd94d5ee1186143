"""Strings are made, joined, split, and counted in a dict."""


def main():
    words = []
    for i in range(400):
        words.append("w" + str(i * 7919 % 257))
    text = " ".join(words)
    counts = {}
    for word in text.split(" "):
        counts[word] = counts.get(word, 0) + 1
    digest = len(text)
    for word in words:
        digest = (digest * 31 + len(word) * counts[word]) % 1000000007
    return digest
