// The website's own behaviour: what a term means, the quiz, and slides. It asks nothing of the network.
"use strict";

function make(name, text, parent, options = {}) {
  const element = Object.assign(document.createElement(name), { textContent: text, ...options });
  parent.append(element);
  return element;
}

// A term's meaning shows at once, also with the keyboard and on a phone, where a title does not.
function showTerms() {
  for (const link of document.querySelectorAll('a[href*="glossary.html#"][title]')) {
    link.dataset.told = link.title;
    link.removeAttribute("title");
  }
}

// The theme gives some of its parts a name that is not what they show, or none.
function nameParts() {
  for (const part of document.querySelectorAll("details.hide > summary, .search-button-field")) {
    part.removeAttribute("aria-label");
  }
  for (const part of document.querySelectorAll("summary:has(> .toctree-toggle)")) {
    part.setAttribute("aria-label", "Pages below");
  }
}

// In quiz.md the first answer of each list is the right one, and the paragraph after it says why.
function makeQuiz(article) {
  for (const list of article.querySelectorAll("section section > ul")) {
    const why = list.nextElementSibling, items = [...list.children], right = items[0];
    list.className = "quiz";
    why.hidden = true;
    why.setAttribute("role", "status");
    items.sort((a, b) => (a.textContent.length % 7) - (b.textContent.length % 7));
    for (const item of items) {
      const text = item.textContent.trim();
      item.textContent = "";
      list.append(item);
      make("button", text, item, { type: "button" }).onclick = ({ target }) => {
        const verdict = item === right ? "Right" : "No";
        target.className = item === right ? "right" : "wrong";
        target.textContent = `${verdict}: ${text}`;
        if (item === right) why.hidden = false;
      };
    }
  }
}

// Slides: the title, then each figure below its heading, with the paragraph that says what to see.
function collectSlides(article) {
  const slides = [[article.querySelector("h1"), article.querySelector("ul")]];
  for (const cell of article.querySelectorAll(".cell")) {
    const figure = cell.querySelector("img"), heading = cell.closest("section").querySelector("h2, h3, h4");
    if (figure && heading) slides.push([heading, figure, cell.nextElementSibling]);
  }
  return slides;
}

function present(slides) {
  const screen = make("div", "", document.body, { className: "slides", tabIndex: -1, ariaLabel: "Slides" });
  screen.setAttribute("role", "dialog");
  let place = 0;
  const turn = (by) => {
    place = Math.min(Math.max(place + by, 0), slides.length - 1);
    const [heading, ...rest] = slides[place];
    screen.replaceChildren();
    make("h2", heading.textContent.replace(/#$/, ""), screen);
    screen.append(...rest.filter((part) => part && part.matches("img, p, ul")).map((part) => part.cloneNode(true)));
    make("nav", `${place + 1} / ${slides.length}`, screen);
  };
  const steps = { ArrowRight: 1, PageDown: 1, " ": 1, ArrowLeft: -1, PageUp: -1 };
  const press = (event) => {
    if (event.key === "Escape") {
      screen.remove();
      document.removeEventListener("keydown", press);
    } else if (event.key in steps) {
      event.preventDefault();
      turn(steps[event.key]);
    }
  };
  document.addEventListener("keydown", press);
  screen.onclick = () => turn(1);
  turn(0);
  screen.focus();
}

document.addEventListener("DOMContentLoaded", () => {
  nameParts();
  showTerms();
  const article = document.querySelector("article");
  if (!article) return;
  if (location.pathname.endsWith("/docs/quiz.html")) makeQuiz(article);
  const slides = location.pathname.includes("/notebooks/") ? collectSlides(article) : [];
  if (slides.length > 1) {
    const button = { className: "slides-button btn btn-sm", type: "button", onclick: () => present(slides) };
    make("button", "Slides", document.querySelector(".article-header-buttons") || article, button);
  }
});
