import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe, toHaveNoViolations } from 'jest-axe';
import React from 'react';

import { finding, fold, line, story } from '../answer/__tests__/examples';
import { StoryReport } from '../components/story';

expect.extend(toHaveNoViolations);

test('lines are drawn in their order, with times, facts, findings and folded texts', async () => {
  const lines = [
    line({
      seconds: 0.5,
      what: 'Candidate 1 · qwen',
      facts: ['Sent: 3 of 4 messages as before'],
      folds: [fold({ title: 'Sent: user', text: 'the mean of <b>x</b>', code: false })]
    }),
    line({
      seconds: 65,
      what: 'Inspection: 1 finding',
      findings: [finding({ suggestions: ['z'] })],
      folds: [fold()]
    }),
    line({ seconds: 70, what: 'Run: failed: there is no `y`' })
  ];
  const { container } = render(<StoryReport story={story({ why: ['It ran.'], lines })} />);
  const [why, happened] = screen.getAllByRole('list');
  expect(why).toHaveTextContent('It ran.');
  expect([...happened.children].map(item => item.textContent)).toEqual([
    '+0.50 s Candidate 1 · qwenSent: 3 of 4 messages as beforeSent: userthe mean of <b>x</b>',
    '+1 min 5 s Inspection: 1 findingerror line 2: there is no name y; perhaps z?Codex = 1',
    '+1 min 10 s Run: failed: there is no y'
  ]);
  expect(container.querySelector('b')).toBeNull();
  expect(happened.children[2].querySelector('code')).toHaveTextContent('y');
  const [sent, code] = container.querySelectorAll('details');
  expect(sent.open).toBe(false);
  await userEvent.click(screen.getByText('Sent: user'));
  expect(sent.open).toBe(true);
  expect(sent.querySelector('pre')).toHaveAttribute('dir', 'auto');
  expect(code.querySelector('pre')).toHaveAttribute('dir', 'ltr');
  expect(await axe(container)).toHaveNoViolations();
});

test('of a megabyte of code the beginning, and how much is not shown in all', () => {
  const long = fold({ text: '#'.repeat(100_000), left_out: 900_000 });
  render(<StoryReport story={story({ lines: [line({ folds: [long] })] })} />);
  const shown = document.querySelector('pre')!.textContent!;
  expect(shown).toHaveLength(20_000 + '\n… and 980000 characters more'.length);
  expect(shown).toMatch(/#\n… and 980000 characters more$/);
});

test('a text that the daemon has left out says so', () => {
  const gone = fold({ text: '', left_out: 12 });
  render(<StoryReport story={story({ lines: [line({ folds: [gone] })] })} />);
  expect(document.querySelector('pre')).toHaveTextContent('… and 12 characters more');
});

test('of a task of which nothing is known, that is said', () => {
  const { container } = render(<StoryReport story={story()} />);
  expect(container).toHaveTextContent('Nothing is known of this task yet.');
});
