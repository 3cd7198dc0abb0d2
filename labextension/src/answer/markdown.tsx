/** Words as rendered Markdown, by JupyterLab's own renderer: never trusted, so always sanitised. */
import { MimeModel } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import React, { useEffect, useRef } from 'react';

export const MARKDOWN_MIME = 'text/markdown';

interface MarkdownProps {
  text: string;
  /** Whether it is whole: formulas are set only then. */
  whole: boolean;
  make: () => IRenderMime.IRenderer;
  typesetter: IRenderMime.ILatexTypesetter | null;
}

export function Markdown({ text, whole, make, typesetter }: MarkdownProps): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  const writer = useRef<Writer | null>(null);
  useEffect(() => {
    const made = new Writer(make(), typesetter);
    writer.current = made;
    host.current?.append(made.node);
    return () => made.dispose();
    // One renderer for as long as the text stands here.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
  useEffect(() => {
    void writer.current?.write(text, whole);
  }, [text, whole]);
  return <div ref={host} className="jp-llmos-Answer-words" dir="auto" />;
}

/** Renders one text after the other; of those that come meanwhile only the last. */
class Writer {
  constructor(
    private readonly renderer: IRenderMime.IRenderer,
    private readonly typesetter: IRenderMime.ILatexTypesetter | null
  ) {}

  get node(): HTMLElement {
    return this.renderer.node;
  }

  async write(text: string, whole: boolean): Promise<void> {
    this.next = { text, whole };
    if (this.busy) {
      return;
    }
    this.busy = true;
    try {
      while (this.next && !this.renderer.isDisposed) {
        const wanted: { text: string; whole: boolean } = this.next;
        this.next = null;
        const data = { [MARKDOWN_MIME]: wanted.text };
        await this.renderer.renderModel(new MimeModel({ data, trusted: false }));
        if (wanted.whole) {
          this.typesetter?.typeset(this.node);
        }
      }
    } catch (error) {
      // Markdown that cannot be rendered is still text.
      console.warn(error);
      this.node.textContent = text;
    } finally {
      this.busy = false;
    }
  }

  dispose(): void {
    this.node.remove();
    this.renderer.dispose();
  }

  private next: { text: string; whole: boolean } | null = null;
  private busy = false;
}
