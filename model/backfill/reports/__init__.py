"""One page that answers a question: what was asked, the answer in sentences, its numbers, charts, assumptions and checks."""
