# SPDX-License-Identifier: Apache-2.0
"""Sessions: events, endings, reuse, logits."""

import math
import tempfile
import threading
import unittest
from pathlib import Path

import vitalis
from tiny import TinyTest

STORY = "Tell me a story about a fox named Mia."


class Sessions(TinyTest):
    def setUp(self):
        self.session = self.model.session(context=1024)
        self.conversation = vitalis.Conversation()

    def tearDown(self):
        self.session.close()
        self.conversation.close()

    def test_events(self):
        self.conversation.user("What is the capital of France?")
        events = list(self.session.generate(self.conversation, temperature=0))
        kinds = [type(event) for event in events]
        self.assertIs(kinds[0], vitalis.Prefill)
        self.assertEqual(events[-1], vitalis.Finished("stop"))
        last = [event for event in events if isinstance(event, vitalis.Prefill)][-1]
        self.assertEqual(last.done, last.total)
        self.assertEqual(kinds.count(vitalis.MessageBegin), kinds.count(vitalis.MessageEnd))
        with self.assertRaises(AttributeError):
            events[0].done = 0
        begin = next(event for event in events if isinstance(event, vitalis.MessageBegin))
        self.assertEqual((begin.role, begin.name), ("assistant", ""))
        ends = [event for event in events if isinstance(event, vitalis.MessageEnd)]
        self.assertEqual([end.message for end in ends], list(range(len(ends))))
        self.assertEqual(sum(len(end.tokens) for end in ends), self.session.usage.generated_tokens)
        usage = self.session.usage
        self.assertEqual(usage.prompt_tokens, len(self.conversation.render(self.model)))
        self.assertGreater(usage.generated_tokens, usage.reasoning_tokens)
        self.assertGreater(usage.decode_seconds, 0)

    def test_a_conversation_goes_on(self):
        self.conversation.user("My name is Anna.")
        list(self.session.generate(self.conversation, temperature=0))
        self.session.add_reply(self.conversation)
        prompt = self.conversation.render(self.model)
        self.conversation.user("What is my name?")
        answer = self.final(self.session.generate(self.conversation, temperature=0))
        self.assertIn("Anna", answer)
        self.assertGreater(self.session.usage.reused_tokens, len(prompt) // 2)

    def test_limits(self):
        self.conversation.user(STORY)
        events = list(self.session.generate(self.conversation, max_tokens=5, seed=1))
        self.assertEqual(events[-1], vitalis.Finished("length"))
        self.assertEqual(self.session.usage.generated_tokens, 5)
        self.assertEqual([event.complete for event in events
                          if isinstance(event, vitalis.MessageEnd)], [False])
        self.conversation.user("word " * 2000)
        with self.assertRaises(vitalis.ContextFullError):
            self.session.generate(self.conversation)

    def test_seeds(self):
        self.conversation.user(STORY)
        for seed in (0, 7, 2**64 - 1):
            texts = []
            for _ in range(2):
                events = self.session.generate(self.conversation, seed=seed, max_tokens=30)
                texts.append([event for event in events if isinstance(event, vitalis.Text)])
            self.assertTrue(texts[0])
            self.assertEqual(texts[0], texts[1])
        list(self.session.generate(self.conversation, max_tokens=1))
        self.assertNotEqual(self.session.usage.seed, 0)

    def test_options_out_of_range(self):
        for options in ({"top_p": 0}, {"top_p": 1.5}, {"max_tokens": 0}, {"top_k": -1},
                        {"seed": -1}, {"seed": 2**64}, {"temperature": -1.0},
                        {"temperature": math.nan}, {"min_p": 2.0}, {"repetition_penalty": 0},
                        {"presence_penalty": 3}, {"frequency_penalty": math.nan},
                        {"logprobs": 21}, {"logit_bias": {-1: 1.0}}):
            with self.assertRaises(ValueError, msg=options):
                self.session.generate(self.conversation.user("x"), **options)
        with self.assertRaises(ValueError):
            self.model.session(context=0)
        with self.assertRaises(TypeError):
            self.session.generate(self.conversation, 0.5)

    def test_saving_and_going_on(self):
        self.conversation.user(STORY)
        whole = list(self.session.generate(self.conversation, seed=0))
        events = self.session.generate(self.conversation, seed=0)
        begin = [next(events) for _ in range(12)]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "session"
            self.assertEqual(self.session.progress, (0, 0))
            self.session.save(path, self.conversation.to_json())
            done, total = self.session.progress
            self.assertEqual(done, total)
            self.assertGreater(total, 0)
            with self.model.session(context=700) as other:
                note = other.restore(path)
                self.assertEqual(note.decode(), self.conversation.to_json())
                self.assertEqual(begin[1:] + list(other.resume()), whole[1:])
                path.write_bytes(path.read_bytes()[:-9])
                with self.assertRaises(vitalis.IntegrityError):
                    other.restore(path)
                self.assertEqual(other.usage.seed, 0)
        with self.session.fork() as fork:
            self.assertEqual(begin[1:] + list(fork.resume()), whole[1:])

    def test_sessions_together(self):
        questions = [STORY, "What is the capital of France?", "What is 17 + 25?"]
        answers, alone = [], []
        for question in questions:
            conversation = vitalis.Conversation().user(question)
            alone.append(self.final(self.session.generate(conversation, seed=5)))
            answers.append((self.model.session(context=512), conversation))
        together = [""] * len(questions)
        ends = 0
        with vitalis.Batch(self.model, sessions=3) as batch:
            for i, event in batch.generate(answers, seed=5):
                if isinstance(event, vitalis.Text) and event.channel == "final":
                    together[i] += event.text
                ends += isinstance(event, vitalis.Finished)
            self.assertEqual(together, alone)
            self.assertEqual(ends, 3)
            events = batch.generate(answers, seed=5)
            next(events)
            events.close()
            reasons = [event for _, event in batch.generate(answers[:1], max_tokens=3)]
            self.assertEqual(reasons[-1], vitalis.Finished("length"))

    def test_logprobs(self):
        self.conversation.user("What is the capital of France?")
        list(self.session.generate(self.conversation, temperature=0, logprobs=2))
        for index in range(self.session.usage.generated_tokens):
            chosen, *others = self.session.logprobs(index)
            self.assertEqual(chosen, others[0])
            self.assertEqual(chosen.after, 0)
            self.assertEqual(others[1].after, -math.inf)
            self.assertLessEqual(others[1].before, chosen.before)
        first = self.session.logprobs(0)[0].token
        list(self.session.generate(self.conversation, temperature=0, max_tokens=1, logprobs=0,
                                   logit_bias={first: -math.inf}))
        self.assertNotEqual(self.session.logprobs(0)[0].token, first)
        with self.assertRaises(vitalis.NotFoundError):
            self.session.logprobs(1)

    def test_closing_ends_the_answer(self):
        self.conversation.user(STORY)
        for event in self.session.generate(self.conversation, seed=1):
            if isinstance(event, vitalis.Text):
                break
        events = self.session.generate(self.conversation, seed=1)
        next(events)
        events.close()
        with self.assertRaises(StopIteration):
            next(events)
        self.conversation.truncate(0).user("What is the capital of Peru?")
        self.assertEqual(self.final(self.session.generate(self.conversation, temperature=0)),
                         "The capital of Peru is Lima.")

    def test_the_next_answer_ends_the_last(self):
        self.conversation.user(STORY)
        old = self.session.generate(self.conversation, seed=1)
        next(old)
        new = self.session.generate(self.conversation, seed=1)
        self.assertEqual(list(old), [])
        self.assertIsInstance(list(new)[-1], vitalis.Finished)

    def test_cancel_from_another_thread(self):
        self.conversation.user(STORY)
        events = self.session.generate(self.conversation, seed=1)
        next(events)
        thread = threading.Thread(target=self.session.cancel)
        thread.start()
        thread.join()
        self.assertEqual(list(events)[-1], vitalis.Finished("cancelled"))
        self.session.cancel()  # nothing in progress: nothing happens

    def test_closing_the_session_in_the_middle(self):
        self.conversation.user("What is the capital of Italy?")
        events = self.session.generate(self.conversation, temperature=0)
        next(events)
        self.session.close()
        self.assertIn("Rome", self.final(events))

    def test_logits(self):
        tokens = self.model.tokenize("The capital of France is")
        vocab = self.model.info.vocab
        every = self.session.forward(tokens, every=True)
        self.assertEqual(every.shape, (len(tokens), vocab))
        self.session.reset()
        last = None
        for count, token in enumerate(tokens):
            last = self.session.forward([token])
            self.assertEqual(last.tolist(), every.tolist()[count])
        self.assertEqual((last.format, len(last)), ("f", vocab))
        self.assertTrue(all(map(math.isfinite, last)))
        with self.assertRaises(ValueError):
            self.session.forward([])
        with self.assertRaises(ValueError):
            self.session.forward([vocab])
        with self.assertRaises(vitalis.ContextFullError):
            self.session.forward([1] * 2000)


if __name__ == "__main__":
    unittest.main()
