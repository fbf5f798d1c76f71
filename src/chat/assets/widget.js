// Deskbell's chat: one script tag, nothing else. See docs/OPERATING.md, "Chat".
(function () {
  "use strict";
  var tag = document.currentScript;
  if (!tag || window.deskbellChat) return;
  window.deskbellChat = true;
  var base = new URL(tag.src).origin;
  var identity = tag.getAttribute("data-identity") || null;
  // What people read, by the language of the tag (data-lang) or of the page.
  var KEYS = "title said name email optional answer help start leave message send file may save again end close you sorry closed soon connecting place next somebody types here thanks over gone noText noEmail badEmail badText justClosed failed noFile".split(" ");
  var WORDS = {
    en: "Chat with us|What was said|Your name|Your e-mail address|so that we can write to you if the chat breaks off (optional)|for our answer|How can we help?|Start the chat|Leave the message|Your message|Send|Attach a file|May we have your e-mail address, in case we are cut off?|Save|Start a new chat|End|Close the chat window|You|We are sorry that nobody could come. Leave a message, and we will write to you within 24 hours.|We are not here now. Leave a message, and we will write to you within 24 hours.|A person will be with you in a moment.|Connecting…|You are number # in the queue.|You are next. Somebody will be with you in a moment.|Somebody|# is typing…|# is here.|Thank you. We will write to you within 24 hours.|The chat is over. Thank you for talking to us.|You do not wait any more.|Please say how we can help.|Please tell us your e-mail address, so that we can answer.|This is not an e-mail address.|Please look at your message: it is too long, or empty.|We have just closed. Please leave a message.|That did not work: #.|The file was not sent: #.",
    de: "Chatten Sie mit uns|Gesprächsverlauf|Ihr Name|Ihre E-Mail-Adresse|damit wir Ihnen schreiben können, falls der Chat abbricht (freiwillig)|für unsere Antwort|Wie können wir helfen?|Chat beginnen|Nachricht hinterlassen|Ihre Nachricht|Senden|Datei anhängen|Dürfen wir Ihre E-Mail-Adresse haben, falls die Verbindung abbricht?|Speichern|Neuen Chat beginnen|Beenden|Chatfenster schließen|Sie|Leider konnte niemand kommen. Hinterlassen Sie eine Nachricht, wir schreiben Ihnen innerhalb von 24 Stunden.|Wir sind gerade nicht da. Hinterlassen Sie eine Nachricht, wir schreiben Ihnen innerhalb von 24 Stunden.|Gleich ist jemand für Sie da.|Verbindung wird aufgebaut…|Sie sind Nummer # in der Warteschlange.|Sie sind als Nächstes dran. Gleich ist jemand für Sie da.|Jemand|# schreibt…|# ist da.|Danke. Wir schreiben Ihnen innerhalb von 24 Stunden.|Der Chat ist beendet. Danke für das Gespräch.|Sie warten nicht mehr.|Bitte sagen Sie, wie wir helfen können.|Bitte nennen Sie uns Ihre E-Mail-Adresse, damit wir antworten können.|Das ist keine E-Mail-Adresse.|Bitte prüfen Sie Ihre Nachricht: sie ist zu lang oder leer.|Wir haben gerade geschlossen. Bitte hinterlassen Sie eine Nachricht.|Das hat nicht geklappt: #.|Die Datei wurde nicht gesendet: #.",
    fr: "Discutez avec nous|Conversation|Votre nom|Votre adresse e-mail|pour vous écrire si la discussion est coupée (facultatif)|pour notre réponse|Comment pouvons-nous vous aider ?|Démarrer la discussion|Laisser le message|Votre message|Envoyer|Joindre un fichier|Pouvons-nous avoir votre adresse e-mail, en cas de coupure ?|Enregistrer|Nouvelle discussion|Terminer|Fermer la fenêtre|Vous|Nous regrettons que personne n’ait pu venir. Laissez un message, nous vous écrirons sous 24 heures.|Nous sommes absents. Laissez un message, nous vous écrirons sous 24 heures.|Une personne sera avec vous dans un instant.|Connexion…|Vous êtes numéro # dans la file.|C’est bientôt à vous. Une personne arrive dans un instant.|Quelqu’un|# écrit…|# est là.|Merci. Nous vous écrirons sous 24 heures.|La discussion est terminée. Merci de nous avoir parlé.|Vous n’attendez plus.|Dites-nous comment vous aider.|Indiquez votre adresse e-mail, pour notre réponse.|Ce n’est pas une adresse e-mail.|Vérifiez votre message : il est trop long ou vide.|Nous venons de fermer. Laissez un message.|Cela n’a pas marché : #.|Le fichier n’a pas été envoyé : #.",
    es: "Chatee con nosotros|Conversación|Su nombre|Su correo electrónico|para escribirle si se corta el chat (opcional)|para nuestra respuesta|¿En qué podemos ayudarle?|Iniciar el chat|Dejar el mensaje|Su mensaje|Enviar|Adjuntar un archivo|¿Nos da su correo electrónico, por si se corta?|Guardar|Nuevo chat|Terminar|Cerrar la ventana|Usted|Sentimos que nadie pudiera atenderle. Deje un mensaje y le escribiremos en 24 horas.|Ahora no estamos. Deje un mensaje y le escribiremos en 24 horas.|Una persona le atenderá enseguida.|Conectando…|Es el número # de la cola.|Es el siguiente. Le atenderán enseguida.|Alguien|# está escribiendo…|# le atiende.|Gracias. Le escribiremos en 24 horas.|El chat ha terminado. Gracias por hablar con nosotros.|Ya no está en espera.|Díganos en qué podemos ayudarle.|Indique su correo electrónico para responderle.|No es un correo electrónico.|Revise su mensaje: es demasiado largo o está vacío.|Acabamos de cerrar. Deje un mensaje.|No ha funcionado: #.|El archivo no se envió: #."
  };
  var asked = (tag.getAttribute("data-lang") || document.documentElement.lang || "").slice(0, 2).toLowerCase();
  var language = WORDS.hasOwnProperty(asked) ? asked : "en", T = {};
  WORDS[language].split("|").forEach(function (text, at) { T[KEYS[at]] = text; });
  function fit(text, word) { return text.replace("#", function () { return word; }); }
  var title = tag.getAttribute("data-title") || T.title;
  var COOKIE = "deskbell_visitor", KEPT = "deskbell_chat";

  // What this tab keeps: the chat that it shows, what was said, what waits for its place.
  var state = { chat: null, after: 0, said: [], pending: [], open: false };
  try { Object.assign(state, JSON.parse(sessionStorage.getItem(KEPT) || "{}")); } catch (e) { /* nothing is kept */ }
  function keep() { try { sessionStorage.setItem(KEPT, JSON.stringify(state)); } catch (e) { /* then not */ } }
  function visitor() {
    var found = document.cookie.split("; ").find(function (c) { return c.indexOf(COOKIE + "=") === 0; });
    return found ? found.slice(COOKIE.length + 1) : null;
  }
  function remember(text) {
    document.cookie = COOKIE + "=" + text + "; path=/; max-age=" + (text ? 15552000 : 0) + "; SameSite=Lax" +
      (location.protocol === "https:" ? "; Secure" : "");
  }
  function newId() {
    if (window.crypto && crypto.randomUUID) return crypto.randomUUID();
    var b = crypto.getRandomValues(new Uint8Array(16));
    b[6] = (b[6] & 15) | 64; b[8] = (b[8] & 63) | 128;
    var h = Array.from(b, function (x) { return x.toString(16).padStart(2, "0"); }).join("");
    return h.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }

  // ---- what people see
  function el(name, attributes, children) {
    var node = document.createElement(name);
    Object.keys(attributes || {}).forEach(function (key) {
      if (key === "text") node.textContent = attributes[key];
      else if (key.slice(0, 2) === "on") node.addEventListener(key.slice(2), attributes[key]);
      else node.setAttribute(key, attributes[key]);
    });
    (children || []).forEach(function (child) { node.appendChild(child); });
    return node;
  }
  var STYLE = ":host{all:initial}*{box-sizing:border-box;font:inherit}[hidden]{display:none!important}" +
    ".root{font:16px/1.4 system-ui,sans-serif;color:#1b1f24;position:fixed;right:16px;bottom:16px;z-index:2147483000}" +
    "button{border:0;border-radius:8px;padding:10px 16px;min-height:44px;background:#0b57d0;color:#fff;cursor:pointer;font-weight:600}" +
    "button.plain{background:#e8eaed;color:#1b1f24}button:focus-visible,input:focus-visible,textarea:focus-visible{outline:3px solid #f29900;outline-offset:2px}" +
    ".launch{border-radius:24px;box-shadow:0 4px 16px rgba(0,0,0,.3);float:right}" +
    ".panel{display:flex;flex-direction:column;width:370px;height:560px;max-height:calc(100vh - 32px);background:#fff;border-radius:14px;box-shadow:0 8px 32px rgba(0,0,0,.35);overflow:hidden}" +
    "header{display:flex;align-items:center;background:#0b3d91;color:#fff;padding:6px 6px 6px 16px}h2{margin:0;font-size:17px;font-weight:600;flex:1}" +
    "header button{background:transparent;padding:8px 12px;font-size:22px;line-height:1}header .end{font-size:15px}" +
    ".status{padding:8px 16px;background:#eef3fc;font-size:14px}.status:empty{display:none}" +
    "ol{list-style:none;margin:0;padding:12px 16px;flex:1;overflow-y:auto;display:flex;flex-direction:column;gap:8px}" +
    "li{max-width:85%;padding:8px 12px;border-radius:12px;white-space:pre-wrap;overflow-wrap:anywhere;background:#eceff1;align-self:flex-start}" +
    "li.visitor{background:#0b57d0;color:#fff;align-self:flex-end}li.pending{opacity:.65}li b{display:block;font-size:13px;font-weight:600}" +
    "form{padding:12px 16px;display:flex;flex-direction:column;gap:8px;border-top:1px solid #dadce0}" +
    ".start{flex:1;overflow-y:auto;border:0}label{font-size:14px;font-weight:600;display:flex;flex-direction:column;gap:4px}label span{font-weight:400}" +
    "input,textarea{border:1px solid #5f6368;border-radius:8px;padding:10px;width:100%;background:#fff;color:#1b1f24}textarea{resize:none;min-height:44px}" +
    ".row{display:flex;gap:8px;align-items:flex-end}.row label{flex:1}.error{color:#b3261e;font-size:14px;margin:0}.error:empty{display:none}p{margin:0}" +
    "a{color:inherit}.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}" +
    "@media(max-width:480px){.panel{position:fixed;inset:0;width:auto;height:auto;max-height:none;border-radius:0}}" +
    "@media(prefers-reduced-motion:no-preference){.panel{animation:up .18s ease-out}@keyframes up{from{transform:translateY(16px);opacity:0}}}";

  var host = el("div", { id: "deskbell-chat" });
  var shadow = host.attachShadow({ mode: "open" });
  var sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  shadow.adoptedStyleSheets = [sheet];

  var launch = el("button", { class: "launch", type: "button", "aria-haspopup": "dialog", text: title, onclick: function () { show(true); } });
  var status = el("div", { class: "status", role: "status" });
  var log = el("ol", { role: "log", "aria-live": "polite", "aria-label": T.said, tabindex: "0" });
  var error = el("p", { class: "error", role: "alert" });
  var name = el("input", { name: "name", autocomplete: "name", maxlength: "200" });
  var email = el("input", { name: "email", type: "email", autocomplete: "email", maxlength: "254" });
  var emailNote = el("span", { text: T.optional });
  var first = el("textarea", { name: "first", rows: "4", maxlength: "4000", required: "" });
  var intro = el("p", {});
  var startButton = el("button", { type: "submit", text: T.start });
  var startForm = el("form", { class: "start", novalidate: "", onsubmit: start }, [
    intro,
    el("label", { text: T.name }, [name]),
    el("label", { text: T.email }, [emailNote, email]),
    el("label", { text: T.help }, [first]),
    startButton,
  ]);
  var text = el("textarea", { name: "text", rows: "2", maxlength: "4000", "aria-label": T.message });
  var picker = el("input", { type: "file", hidden: "", onchange: handIn });
  var fileButton = el("button", { class: "plain file", type: "button", text: T.file, onclick: function () { picker.click(); } });
  var sayForm = el("form", { onsubmit: say }, [
    el("div", { class: "row" }, [el("label", {}, [text]), el("button", { type: "submit", text: T.send })]), fileButton, picker,
  ]);
  var address = el("input", { name: "address", type: "email", autocomplete: "email", maxlength: "254" });
  var addressForm = el("form", { onsubmit: tellAddress, novalidate: "" }, [
    el("div", { class: "row" }, [el("label", { text: T.may }, [address]), el("button", { class: "plain", type: "submit", text: T.save })]),
  ]);
  var again = el("button", { type: "button", text: T.again, onclick: function () { forget(); render(); first.focus(); } });
  var endButton = el("button", { class: "end", type: "button", text: T.end, onclick: function () { send({ type: "end" }); } });
  var closeButton = el("button", { class: "close", type: "button", "aria-label": T.close, text: "\u00d7", onclick: function () { show(false); } });
  var panel = el("section", { class: "panel", role: "dialog", lang: language, "aria-label": title, hidden: "" }, [
    el("header", {}, [el("h2", { text: title }), endButton, closeButton]),
    status, log, error, addressForm, startForm, sayForm, again,
  ]);
  shadow.appendChild(el("div", { class: "root" }, [panel, launch]));
  shadow.addEventListener("keydown", function (event) {
    if (event.key === "Escape" && !panel.hidden) { event.stopPropagation(); show(false); }
  });
  text.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); say(event); }
  });
  var typedAt = 0;
  text.addEventListener("input", function () {
    if (Date.now() - typedAt > 2000) { typedAt = Date.now(); send({ type: "typing" }); }
  });

  var shown = null, welcome = null, leaving = false, asking = false, typingUntil = 0, connected = false;
  function forget() { state.chat = null; state.after = 0; state.said = []; state.pending = []; shown = null; leaving = false; log.replaceChildren(); lines = {}; keep(); }
  var lines = {};
  function line(message, isPending) {
    var node = lines[message.id];
    if (!node) {
      node = el("li", {}, []);
      lines[message.id] = node;
      log.appendChild(node);
    } else if (!isPending) {
      // It has its place now: after all that came before it.
      log.appendChild(node);
    }
    node.className = message.from + (isPending ? " pending" : "");
    node.replaceChildren();
    if (message.from === "agent" && message.name) node.appendChild(el("b", { text: message.name }));
    else node.appendChild(el("span", { class: "unseen", text: T.you + ": " }));
    var files = message.files || [];
    // A file that came alone is a message of its name.
    if (files.length !== 1 || files[0].name !== message.body) node.appendChild(document.createTextNode(message.body));
    files.forEach(function (file) {
      var size = file.size_bytes < 1e6 ? Math.ceil(file.size_bytes / 1e3) + " KB" : (file.size_bytes / 1e6).toFixed(1) + " MB";
      node.appendChild(el("a", { href: base + file.url, download: file.name, target: "_blank", rel: "noopener", text: file.name + " (" + size + ")" }));
    });
    log.scrollTop = log.scrollHeight;
  }
  function render() {
    var now = shown ? shown.state : null;
    var talks = now === "waiting" || now === "active", over = now === "ended" || now === "left" || now === "abandoned";
    var closed = (welcome && !welcome.open && !talks) || now === "missed" || leaving;
    startForm.hidden = talks || over;
    log.hidden = !startForm.hidden ? state.said.length === 0 : false;
    sayForm.hidden = !talks;
    fileButton.hidden = !(shown && shown.upload);
    addressForm.hidden = !(talks && shown && !shown.has_address);
    endButton.hidden = !talks;
    again.hidden = !over;
    startButton.textContent = closed ? T.leave : T.start;
    intro.textContent = now === "missed" ? T.sorry
      : closed ? T.closed
        : T.soon;
    emailNote.textContent = closed ? T.answer : T.optional;
    email.required = !!closed;
    var words = "";
    if (!connected && state.open) words = T.connecting;
    else if (now === "waiting") words = shown.position > 1 ? fit(T.place, shown.position) : T.next;
    else if (now === "active") words = fit(typingUntil > Date.now() ? T.types : T.here, shown.agent || T.somebody);
    else if (now === "left") words = T.thanks;
    else if (now === "ended") words = T.over;
    else if (now === "abandoned") words = T.gone;
    if (status.textContent !== words) status.textContent = words;
  }
  function show(open, quietly) {
    state.open = open; keep();
    panel.hidden = !open; launch.hidden = open;
    launch.setAttribute("aria-expanded", String(open));
    if (open) {
      connect(); render();
      // A page that is loaded anew keeps its focus.
      if (quietly) return;
      (!sayForm.hidden ? text : !startForm.hidden ? (name.value ? first : name) : closeButton).focus();
    } else launch.focus();
  }

  // ---- what is said
  function fail(message, field) { error.textContent = message; if (field) field.focus(); }
  function start(event) {
    event.preventDefault(); error.textContent = "";
    var body = first.value, leaves = email.required;
    if (!body.trim()) return fail(T.noText, first);
    if (leaves && !email.value.trim()) return fail(T.noEmail, email);
    if (email.value && !email.checkValidity()) return fail(T.badEmail, email);
    asking = { type: leaves ? "leave" : "ask", id: newId(), body: body, name: name.value || null, email: email.value.trim() || null };
    if (!leaves) { state.said = []; }
    send(asking);
  }
  function say(event) {
    event.preventDefault();
    if (!text.value.trim()) return;
    var message = { type: "message", id: newId(), body: text.value };
    text.value = ""; error.textContent = "";
    state.pending.push(message); keep();
    line({ id: message.id, from: "visitor", body: message.body }, true);
    send(message);
  }
  async function handIn() {
    var file = picker.files[0], id = newId(), form = new FormData();
    if (!file || !shown || !shown.upload) return;
    form.append("file", file, file.name);
    picker.value = ""; error.textContent = ""; fileButton.disabled = true;
    line({ id: id, from: "visitor", body: file.name }, true);
    try {
      var answer = await fetch(base + shown.upload + "&id=" + id, { method: "POST", body: form, credentials: "omit" });
      if (!answer.ok) throw new Error((await answer.json()).detail);
    } catch (e) {
      if (lines[id]) { lines[id].remove(); delete lines[id]; }
      fail(fit(T.noFile, e.message));
    }
    fileButton.disabled = false; (fileButton.hidden ? closeButton : fileButton).focus();
  }
  function tellAddress(event) {
    event.preventDefault(); error.textContent = "";
    if (!address.value.trim() || !address.checkValidity()) return fail(T.badEmail, address);
    send({ type: "address", email: address.value.trim(), name: name.value || null });
  }

  // ---- the line
  var socket = null, tries = 0, timer = null, aliveAt = 0, refusedForGood = false;
  function send(frame) { if (connected && socket) socket.send(JSON.stringify(frame)); }
  function connect() {
    if (socket || refusedForGood) return;
    clearTimeout(timer);
    socket = new WebSocket(base.replace(/^http/, "ws") + "/chat/ws");
    var own = socket;
    own.onopen = function () {
      aliveAt = Date.now();
      own.send(JSON.stringify({ type: "hello", visitor: identity ? null : visitor(), identity: identity, chat: state.chat, after: state.after }));
    };
    own.onmessage = function (event) { aliveAt = Date.now(); hear(JSON.parse(event.data)); };
    own.onclose = function () {
      if (socket !== own) return;
      socket = null; connected = false; render();
      if (refusedForGood || !(state.open || (shown && /waiting|active/.test(shown.state)))) return;
      tries += 1;
      timer = setTimeout(connect, Math.min(10000, 300 * Math.pow(2, Math.min(tries, 6))) * (0.5 + Math.random() / 2));
    };
  }
  // A line that died without a word is noticed by asking.
  setInterval(function () {
    if (typingUntil && typingUntil <= Date.now()) { typingUntil = 0; render(); }
    if (!connected) return;
    if (Date.now() - aliveAt > 40000) { var dead = socket; socket.onclose(); dead.close(); }
    else if (Date.now() - aliveAt > 20000) send({ type: "ping" });
  }, 1000);
  window.addEventListener("online", function () { if (state.open) connect(); });

  function hear(frame) {
    if (frame.type === "welcome") {
      welcome = frame; connected = true; tries = 0;
      if (frame.visitor && !identity) remember(frame.visitor);
      if (asking) send(asking);
      state.pending.forEach(send);
      render();
    } else if (frame.type === "chat") {
      if (state.chat !== frame.id) {
        if (!asking || asking.type !== "leave") { log.replaceChildren(); lines = {}; }
        state.chat = frame.id; state.after = 0; state.said = [];
      }
      var before = shown && shown.state, isHere = !!shadow.activeElement;
      shown = frame;
      if (frame.state === "waiting" || frame.state === "active") asking = false;
      if (!/waiting|active/.test(frame.state)) { state.pending = []; }
      keep(); render();
      if (before !== frame.state && isHere) {
        if (frame.state === "active" || frame.state === "waiting") { if (shadow.activeElement !== text && !before) text.focus(); }
        else if (frame.state === "missed") first.focus();
        else if (!again.hidden) again.focus();
      }
    } else if (frame.type === "message") {
      if (frame.chat !== state.chat || frame.seq <= state.after) return;
      state.after = frame.seq;
      if (frame.from === "agent") typingUntil = 0;
      var message = { id: frame.from + frame.id, from: frame.from, name: frame.name, body: frame.body, files: frame.files, seq: frame.seq };
      if (frame.from === "visitor") message.id = frame.id;
      state.said.push(message); placed(frame.from === "visitor" ? frame.id : null);
      line(message, false); render();
    } else if (frame.type === "ack") {
      if (asking && asking.id === frame.id) { asking = false; first.value = ""; }
      placed(frame.id);
    } else if (frame.type === "typing") {
      typingUntil = Date.now() + 4000; render();
    } else if (frame.type === "refused") {
      refused(frame);
    }
  }
  function placed(id) { state.pending = state.pending.filter(function (message) { return message.id !== id; }); keep(); }
  function refused(frame) {
    if (frame.code === "bad_visitor") { remember(""); forget(); return; }
    if (frame.code === "closed") { welcome.open = false; leaving = true; asking = false; render(); return fail(T.justClosed, email); }
    if (frame.code === "open") { welcome.open = true; leaving = false; var body = asking; asking = body && { type: "ask", id: body.id, body: body.body, name: body.name, email: body.email }; render(); return asking && send(asking); }
    if (frame.code === "blocked" || frame.code === "bad_identity") refusedForGood = true;
    asking = false;
    if (frame.id && lines[frame.id]) { placed(frame.id); lines[frame.id].remove(); delete lines[frame.id]; }
    var wrong = frame.errors && frame.errors[0];
    fail(wrong ? (wrong.field === "email" ? T.badEmail : T.badText) : fit(T.failed, frame.message));
  }

  state.said.forEach(function (message) { line(message, false); });
  state.pending.forEach(function (message) { line({ id: message.id, from: "visitor", body: message.body }, true); });
  (document.body || document.documentElement).appendChild(host);
  if (state.open) show(true, true);
  else if (state.chat) connect();
})();
