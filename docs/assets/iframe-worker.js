// Browsers start no worker for a page opened from a file, so there the search runs in a hidden frame.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.appendChild(this.frame);
      this.inside = this.frame.contentWindow;
      this.inside.postMessage = (data) => this.later(() => this.report("message", data));
      this.loaded = new Promise((resolve, reject) => {
        const script = this.inside.document.createElement("script");
        script.src = url;
        script.onload = resolve;
        script.onerror = reject;
        this.inside.document.body.appendChild(script);
      });
      this.loaded.catch(() => this.report("error"));
    }

    // Messages are copied and delivered after the sender is done, as those of workers are.
    later(deliver) {
      setTimeout(deliver);
    }

    report(kind, data) {
      const event = new MessageEvent(kind, { data, cancelable: true });
      this[`on${kind}`]?.(event);
      this.dispatchEvent(event);
    }

    postMessage(data) {
      const copy = structuredClone(data);
      const deliver = () => this.inside.dispatchEvent(new MessageEvent("message", { data: copy }));
      this.loaded.then(() => this.later(deliver), () => {});
    }

    terminate() {
      this.frame.remove();
    }
  };
}
