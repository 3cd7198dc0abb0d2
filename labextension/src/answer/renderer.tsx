/** Draws an answer in an output, anew with each update of the kernel's, and does what its buttons say. */
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import React from 'react';
import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';

import type { AnswerCell } from '../types';
import { feedbackOf, sentence, stop, storyOf, thumb, type AnswerDaemon } from './actions';
import { ANSWER_MIME, isOpen, readAnswer } from './data';
import { Markdown, MARKDOWN_MIME } from './markdown';
import { memoryOf, newMemory, type Memory } from './memory';
import { AnswerNotebook, type RunWith } from './notebook';
import { asOfNow, type ButtonName } from './offers';
import type { Preferences } from './preferences';
import { AnswerView, type ViewTools } from './view';
import { Verbatim } from './words';

/** What all answers of a page share. */
export interface AnswerTools extends ViewTools {
  daemon: AnswerDaemon;
  tracker: INotebookTracker | null;
  preferences: Preferences;
  runWith: RunWith;
}

export class AnswerRenderer extends Widget implements IRenderMime.IRenderer {
  constructor(private readonly tools: AnswerTools) {
    super();
    this.addClass('jp-llmos-Answer');
    this.node.addEventListener('pointerenter', this.onNear);
    this.node.addEventListener('focusin', this.onNear);
    tools.preferences.changed.connect(this.draw, this);
  }

  /** Never throws: what is no answer of this version is shown as the words beside it. */
  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.model = model;
    this.cell = readAnswer(model.data[ANSWER_MIME]);
    this.gone = false;
    if (this.cell?.task && this.cell.task !== this.task) {
      this.task = this.cell.task;
      this.memory = memoryOf(this.task, this.memory);
    }
    if (this.cell && isOpen(this.cell.state)) {
      // Nobody can have given a thumb yet.
      this.memory.feedback ??= '';
    }
    this.draw();
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this.tools.preferences.changed.disconnect(this.draw, this);
    this.leave();
    super.dispose();
    this.root.unmount();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    const { tracker, runWith } = this.tools;
    this.notebook = AnswerNotebook.around(this.node, tracker, runWith);
    this.notebook?.changed.connect(this.onKernel, this);
    this.notebook?.ended.connect(this.onEnded, this);
    this.sight = new IntersectionObserver(entries => {
      this.inSight = entries[entries.length - 1].isIntersecting;
      this.onSight();
    });
    this.sight.observe(this.node);
    this.draw();
    this.refocus();
  }

  protected override onBeforeDetach(message: Message): void {
    const focused = document.activeElement;
    if (focused instanceof HTMLElement && this.node.contains(focused)) {
      this.memory.focus = { key: focused.dataset.key ?? '', at: Date.now() };
    }
    this.leave();
    super.onBeforeDetach(message);
  }

  private leave(): void {
    this.sight?.disconnect();
    this.sight = null;
    this.notebook?.dispose();
    this.notebook = null;
  }

  private draw(): void {
    if (this.model && !this.isDisposed) {
      flushSync(() => this.root.render(this.content(this.model!)));
    }
  }

  private content(model: IRenderMime.IMimeModel): JSX.Element {
    if (!this.cell) {
      return this.fallback(model);
    }
    const cell = this.gone ? asOfNow(this.cell, { kernel: '' }) : asOfNow(this.cell, this.notebook);
    return (
      <AnswerView
        cell={cell}
        notebook={this.notebook}
        standing={model}
        memory={this.memory}
        shaded={this.tools.preferences.confidence}
        tools={this.tools}
        update={this.choose}
        keep={chosen => Object.assign(this.memory, chosen)}
        onShade={wanted => {
          this.tools.preferences.confidence = wanted;
        }}
        onPress={name => void this.press(name, cell)}
        onRunEdited={code => {
          this.choose({ draft: null });
          void this.notebook?.run(code);
        }}
        loadStory={() => storyOf(this.tools.daemon, cell.task)}
      />
    );
  }

  private fallback(model: IRenderMime.IMimeModel): JSX.Element {
    const markdown = model.data[MARKDOWN_MIME];
    if (typeof markdown === 'string') {
      const { makeMarkdown, typesetter } = this.tools;
      return <Markdown text={markdown} whole make={makeMarkdown} typesetter={typesetter} />;
    }
    const data = model.data[ANSWER_MIME];
    const own = typeof data === 'object' && data !== null && 'text' in data ? data.text : '';
    const text = [model.data['text/plain'], own].find(one => typeof one === 'string' && one);
    return <Verbatim text={typeof text === 'string' ? text : ''} label="Answer" />;
  }

  private readonly choose = (chosen: Partial<Memory>): void => {
    Object.assign(this.memory, chosen);
    this.draw();
  };

  private async press(name: ButtonName, cell: AnswerCell): Promise<void> {
    if (this.pressed.has(name)) {
      return;
    }
    this.pressed.add(name);
    try {
      await this.act(name, cell);
    } catch (error) {
      this.choose({ said: sentence(error) });
    } finally {
      this.pressed.delete(name);
    }
  }

  private async act(name: ButtonName, cell: AnswerCell): Promise<void> {
    const { daemon } = this.tools;
    const { notebook, memory } = this;
    switch (name) {
      case 'Run':
        return notebook?.run(cell.text);
      case 'Edit and run':
        return this.choose({ draft: memory.draft ?? cell.text });
      case 'Insert as cell':
        return notebook?.insert(cell.text);
      case 'Undo': {
        const { model } = this;
        const said = await notebook?.undo(cell.number!, cell.task, shown => model?.setData(shown));
        return this.choose({ said: said ?? '' });
      }
      case 'Stop': {
        const working = cell.state === 'rehearsing' || cell.state === 'running';
        return this.choose({ said: await stop(daemon, cell.task, notebook, working) });
      }
      case 'Good answer':
      case 'Bad answer': {
        const given = name === 'Good answer' ? 'up' : 'down';
        const feedback = await thumb(daemon, cell.task, memory.feedback === given ? '' : given);
        return this.choose({ feedback, said: '' });
      }
      case 'Why':
        this.choose({ tab: 'trace' });
        this.node.querySelector<HTMLElement>('[data-key="tab-trace"]')?.focus();
    }
  }

  /** The user comes near: now it matters which thumb was given. */
  private readonly onNear = (): void => {
    const { cell, memory } = this;
    if (!cell?.task || isOpen(cell.state) || memory.feedback !== null || this.asked) {
      return;
    }
    this.asked = true;
    feedbackOf(this.tools.daemon, cell.task).then(
      feedback => {
        if (memory.feedback === null) {
          this.choose({ feedback });
        }
      },
      // Not known now: a thumb can be given all the same, and says what is wrong then.
      () => undefined
    );
  };

  private onSight(): void {
    // Only where the kernel that answered still is: then the daemon can be expected to be there as well.
    if (this.inSight && this.notebook !== null && this.notebook.kernel === this.cell?.session) {
      this.onNear();
    }
  }

  private onKernel(): void {
    this.draw();
    this.onSight();
  }

  private onEnded(): void {
    this.gone = true;
    this.draw();
  }

  /** An output that is drawn anew takes the focus with it: it is given back at once, or not at all. */
  private refocus(): void {
    const { focus } = this.memory;
    this.memory.focus = null;
    if (focus && Date.now() - focus.at < 1000 && document.activeElement === document.body) {
      this.node.querySelector<HTMLElement>(`[data-key="${CSS.escape(focus.key)}"]`)?.focus();
    }
  }

  private readonly root = createRoot(this.node);
  private model: IRenderMime.IMimeModel | null = null;
  private cell: AnswerCell | null = null;
  private memory: Memory = newMemory();
  private task = '';
  private notebook: AnswerNotebook | null = null;
  private sight: IntersectionObserver | null = null;
  private inSight = false;
  private asked = false;
  /** The kernel ended while this was drawn. */
  private gone = false;
  private readonly pressed = new Set<ButtonName>();
}
