// The agent's page of chats. The token is in this closure alone.
(function () {
  "use strict";
  var API = "/api/v1";
  var token = null, me = null, chats = {}, current = null, socket = null, tries = 0;
  function $(id) { return document.getElementById(id); }
  function el(name, className, text) {
    var node = document.createElement(name);
    if (className) node.className = className;
    if (text) node.textContent = text;
    return node;
  }
  function newId() {
    if (crypto.randomUUID) return crypto.randomUUID();
    var b = crypto.getRandomValues(new Uint8Array(16));
    b[6] = (b[6] & 15) | 64; b[8] = (b[8] & 63) | 128;
    return Array.from(b, function (x) { return x.toString(16).padStart(2, "0"); }).join("").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }
  async function ask(method, path, body) {
    var headers = { Authorization: "Bearer " + token };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (method === "POST") headers["Idempotency-Key"] = newId();
    var answer = await fetch(API + path, { method: method, headers: headers, body: body === undefined ? undefined : JSON.stringify(body) });
    var json = answer.status === 204 ? null : await answer.json();
    if (!answer.ok) throw new Error(json.detail);
    return json;
  }

  $("enter").addEventListener("submit", async function (event) {
    event.preventDefault();
    token = $("token").value.trim();
    $("wrong").textContent = "";
    try {
      me = await ask("GET", "/agents/me");
      listen(null);
      await ask("PUT", "/presence", { state: "available" });
    } catch (error) {
      $("wrong").textContent = "That did not work: " + error.message;
      return;
    }
    $("token").value = "";
    $("enter").hidden = true;
    $("desk").hidden = false;
    $("me").textContent = me.name + ", available";
    await look();
  });

  // ---- what happens: the live stream, read by fetch because it needs the token in a header
  async function listen(last) {
    var begun = Date.now();
    try {
      var headers = { Authorization: "Bearer " + token };
      if (last !== null) headers["Last-Event-ID"] = last;
      var answer = await fetch(API + "/stream?topic=chats", { headers: headers });
      if (!answer.ok) throw new Error("the stream is refused");
      var reader = answer.body.getReader(), decoder = new TextDecoder(), text = "";
      for (;;) {
        var part = await reader.read();
        if (part.done) break;
        text += decoder.decode(part.value, { stream: true });
        var frames = text.split("\n\n");
        text = frames.pop();
        frames.forEach(function (frame) {
          var id = /^id: (\d+)$/m.exec(frame);
          if (id) last = id[1];
          if (/^data: /m.test(frame)) look();
        });
      }
    } catch (error) { /* it is tried again */ }
    setTimeout(async function () {
      listen(last);
      // Whoever was away for longer is offline, as the desk sees it.
      try { await ask("PUT", "/presence", { state: "available" }); await look(); } catch (error) { /* the next try */ }
    }, Date.now() - begun < 2000 ? 2000 : 300);
  }
  var looking = null, lookAgain = false;
  function look() {
    if (looking) { lookAgain = true; return looking; }
    looking = read().catch(function () {}).then(function () {
      looking = null;
      if (lookAgain) { lookAgain = false; look(); }
    });
    return looking;
  }
  async function read() {
    var lists = await Promise.all([ask("GET", "/chats?state=waiting&limit=100"), ask("GET", "/chats?state=active&limit=100&agent_id=" + me.id)]);
    chats = {};
    lists.forEach(function (list) { list.items.forEach(function (chat) { chats[chat.id] = chat; }); });
    render();
  }

  function seconds(chat) { return Math.max(0, Math.floor((Date.now() - Date.parse(chat.asked_at)) / 1000)); }
  function render() {
    var waiting = Object.values(chats).filter(function (chat) { return chat.state === "waiting"; });
    waiting.sort(function (a, b) { return a.asked_at < b.asked_at ? -1 : 1; });
    fill($("waiting"), waiting, function (chat) {
      var rings = chat.ringing.indexOf(me.id) >= 0;
      var node = el("li", rings ? "rings" : "");
      var words = el("p");
      var count = el("b", "", String(seconds(chat)));
      count.dataset.since = chat.asked_at;
      words.append("Waits for ", count, " s" + (chat.verified ? ", identified" : "") + (rings ? " \u2013 it rings for you" : ""));
      node.append(words);
      var row = el("div", "row");
      row.append(button("Accept", "", function () { act(chat, "/accept"); }));
      if (rings) row.append(button("Decline", "plain", function () { act(chat, "/decline"); }));
      node.append(row);
      return node;
    }, "Nobody waits.");
    fill($("mine"), Object.values(chats).filter(function (chat) { return chat.state === "active"; }), function (chat) {
      var node = el("li");
      node.append(button("Chat since " + new Date(chat.asked_at).toLocaleTimeString(), current === chat.id ? "" : "plain", function () { open(chat.id); }));
      return node;
    }, "None.");
    var ringing = waiting.filter(function (chat) { return chat.ringing.indexOf(me.id) >= 0; }).length;
    document.title = (ringing ? "(" + ringing + ") " : "") + "Chats";
  }
  function fill(list, items, make, none) {
    list.replaceChildren.apply(list, items.length ? items.map(make) : [el("li", "", none)]);
  }
  function button(text, className, action) {
    var node = el("button", className, text);
    node.type = "button";
    node.addEventListener("click", action);
    return node;
  }
  setInterval(function () {
    document.querySelectorAll("[data-since]").forEach(function (node) { node.textContent = String(seconds({ asked_at: node.dataset.since })); });
  }, 1000);
  async function act(chat, verb) {
    $("failed").textContent = "";
    try {
      await ask("POST", "/chats/" + chat.id + verb, {});
      if (verb === "/accept") open(chat.id);
    } catch (error) { $("failed").textContent = error.message; $("me").textContent = me.name + ": " + error.message; }
    look();
  }

  // ---- one conversation
  var after = 0, pending = [], lines = {}, typedAt = 0;
  function open(id) {
    if (current === id) return;
    current = id; after = 0; pending = []; lines = {};
    $("log").replaceChildren();
    $("chat").hidden = false;
    $("title").textContent = "Conversation";
    connect();
    render();
    $("text").focus();
  }
  function connect() {
    if (socket) { var old = socket; socket = null; old.close(); }
    var own = new WebSocket(location.origin.replace(/^http/, "ws") + "/chat/agent/ws");
    socket = own;
    own.onopen = function () { own.send(JSON.stringify({ type: "hello", token: token, chat: current, after: after })); pending.forEach(send); };
    own.onmessage = function (event) { tries = 0; hear(JSON.parse(event.data)); };
    own.onclose = function () {
      if (socket !== own) return;
      socket = null; tries += 1;
      if (current) setTimeout(function () { if (!socket && current) connect(); }, Math.min(10000, 300 * Math.pow(2, Math.min(tries, 6))));
    };
  }
  function send(frame) { if (socket && socket.readyState === 1) socket.send(JSON.stringify(frame)); }
  setInterval(function () { send({ type: "ping" }); }, 20000);
  function line(message, isPending) {
    var key = message.from + message.id, node = lines[key];
    if (!node) node = lines[key] = el("li");
    $("log").append(node);
    node.className = message.from + (isPending ? " pending" : "");
    node.replaceChildren(el("b", "", message.from === "visitor" ? "Visitor" : message.name || "You"));
    var files = message.files || [];
    if (files.length !== 1 || files[0].name !== message.body) node.append(message.body);
    files.forEach(function (file) {
      var link = el("a", "", file.name + " (" + Math.ceil(file.size_bytes / 1000) + " KB)");
      link.href = file.url; link.download = file.name;
      node.append(link);
    });
    $("log").scrollTop = $("log").scrollHeight;
  }
  var quiet = null;
  function hear(frame) {
    if (frame.type === "chat") {
      var over = frame.state !== "active";
      $("standing").textContent = over ? "The chat is over." : frame.visitor_gone_at ? "The visitor's connection is broken." : "";
      $("say").hidden = over && frame.state !== "ended";
      $("text").disabled = over;
      $("file").hidden = $("keep").hidden = over;
      $("end").textContent = over ? "Close the ticket" : "End and close the ticket";
    } else if (frame.type === "message") {
      if (frame.seq <= after) return;
      after = frame.seq;
      pending = pending.filter(function (message) { return message.id !== frame.id; });
      line(frame, false);
    } else if (frame.type === "ack") {
      pending = pending.filter(function (message) { return message.id !== frame.id; });
    } else if (frame.type === "typing") {
      $("standing").textContent = "The visitor is typing\u2026";
      clearTimeout(quiet);
      quiet = setTimeout(function () { $("standing").textContent = ""; }, 4000);
    } else if (frame.type === "refused") {
      $("failed").textContent = frame.message;
      pending = pending.filter(function (message) { return message.id !== frame.id; });
    }
  }
  $("say").addEventListener("submit", function (event) {
    event.preventDefault();
    var body = $("text").value;
    if (!body.trim()) return;
    $("text").value = ""; $("failed").textContent = "";
    var message = { type: "message", id: newId(), body: body };
    pending.push(message);
    line({ id: message.id, from: "agent", name: me.name, body: body }, true);
    send(message);
  });
  $("text").addEventListener("keydown", function (event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); $("say").requestSubmit(); }
  });
  $("text").addEventListener("input", function () {
    if (Date.now() - typedAt > 2000) { typedAt = Date.now(); send({ type: "typing" }); }
  });
  async function end(closes) {
    $("failed").textContent = "";
    try { await ask("POST", "/chats/" + current + "/end", { close_ticket: closes }); } catch (error) { $("failed").textContent = error.message; }
    look();
  }
  $("end").addEventListener("click", function () { end(true); });
  $("keep").addEventListener("click", function () { end(false); });
  $("file").addEventListener("click", function () { $("picker").click(); });
  $("picker").addEventListener("change", async function () {
    var file = $("picker").files[0], chat = current, form = new FormData();
    if (!file) return;
    form.append("file", file, file.name);
    $("picker").value = ""; $("failed").textContent = ""; $("file").disabled = true;
    try {
      var headers = { Authorization: "Bearer " + token, "Idempotency-Key": newId() };
      var answer = await fetch(API + "/attachments", { method: "POST", headers: headers, body: form });
      var json = await answer.json();
      if (!answer.ok) throw new Error(json.detail);
      await ask("POST", "/chats/" + chat + "/messages", { body: json.file_name, attachments: [json.id] });
    } catch (error) { $("failed").textContent = error.message; }
    $("file").disabled = false;
  });
})();
