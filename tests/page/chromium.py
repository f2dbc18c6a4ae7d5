"""Chromium over its debugging pipe: devtools' protocol, without a socket or a package.

    with Browser() as page:
        page.size(400, dark=True)
        page.open('file:///tmp/report.html')
        page.evaluate('document.title')
        page.press('Tab')
"""
import json
import os
import select
import shutil
import subprocess
import tempfile
import time


def find():
    for name in ('chromium', 'chromium-browser', 'google-chrome'):
        if shutil.which(name):
            return shutil.which(name)
    return None


class Browser:
    def __init__(self, patience=120):
        self.patience, self.number, self.buffer, self.events = patience, 0, b'', []

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix='vise-page-')
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()

        def wire():  # what the browser reads is its descriptor 3, what it writes 4
            os.dup2(os.dup(theirs_in), 3)
            os.dup2(theirs_out, 4)

        # Descriptors 3 and 4 must not be ours while they are replaced.
        theirs_in, theirs_out = (self.above(fd) for fd in (theirs_in, theirs_out))
        self.process = subprocess.Popen(
            [find(), '--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-sync',
             '--disable-background-networking', '--disable-component-update', '--host-resolver-rules=MAP * ~NOTFOUND',
             '--user-data-dir=' + self.folder, '--remote-debugging-pipe', 'about:blank'],
            preexec_fn=wire, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        self.input, self.output, self.session = ours_in, ours_out, None
        target = next(t for t in self.call('Target.getTargets')['targetInfos'] if t['type'] == 'page')
        self.session = self.call('Target.attachToTarget', targetId=target['targetId'], flatten=True)['sessionId']
        for domain in ('Page', 'Runtime', 'Log', 'Network'):
            self.call(domain + '.enable')
        return self

    @staticmethod
    def above(descriptor):
        if descriptor > 4:
            return descriptor
        copy = os.dup(descriptor)
        while copy <= 4:
            copy = os.dup(copy)
        os.close(descriptor)
        return copy

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        os.close(self.input)
        os.close(self.output)
        shutil.rmtree(self.folder, ignore_errors=True)

    def receive(self, deadline):
        while b'\0' not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.input], [], [], left)[0]:
                raise TimeoutError('chromium says nothing')
            chunk = os.read(self.input, 1 << 20)
            if not chunk:
                raise RuntimeError('chromium ended')
            self.buffer += chunk
        message, self.buffer = self.buffer.split(b'\0', 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {'id': self.number, 'method': method, 'params': parameters}
        if self.session:
            message['sessionId'] = self.session
        os.write(self.output, json.dumps(message).encode() + b'\0')
        deadline = time.monotonic() + self.patience
        while True:
            answer = self.receive(deadline)
            if answer.get('id') != self.number:
                self.events.append(answer)
                continue
            if 'error' in answer:
                raise RuntimeError(f"{method}: {answer['error']}")
            return answer['result']

    def size(self, width, height=900, dark=False):
        self.call('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call('Emulation.setEmulatedMedia',
                  features=[{'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'}])

    def open(self, address):
        self.events.clear()
        self.call('Page.navigate', url=address)
        deadline = time.monotonic() + self.patience
        while not any(e.get('method') == 'Page.loadEventFired' for e in self.events):
            self.events.append(self.receive(deadline))
        self.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))')

    def evaluate(self, expression):
        answer = self.call('Runtime.evaluate', expression=expression, awaitPromise=True, returnByValue=True)
        if 'exceptionDetails' in answer:
            raise RuntimeError(json.dumps(answer['exceptionDetails'])[:2000])
        return answer['result'].get('value')

    def press(self, key):
        codes = {'Tab': 9, 'Enter': 13, 'ArrowRight': 39, 'ArrowDown': 40, 'Escape': 27}
        text = {'text': '\r'} if key == 'Enter' else {}
        for kind in ('keyDown', 'keyUp'):
            self.call('Input.dispatchKeyEvent', type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key],
                      **(text if kind == 'keyDown' else {}))

    def complaints(self):
        """What the console and the log said, and exceptions that nobody caught."""
        return [e for e in self.events
                if e.get('method') in ('Runtime.consoleAPICalled', 'Runtime.exceptionThrown', 'Log.entryAdded')]

    def picture(self, file):
        import base64
        with open(file, 'wb') as out:
            out.write(base64.b64decode(self.call('Page.captureScreenshot', captureBeyondViewport=True)['data']))
