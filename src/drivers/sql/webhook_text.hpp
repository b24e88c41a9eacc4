#pragma once

#include "core/error.hpp"
#include "ports/webhook_catalog.hpp"

#include <string>
#include <vector>

namespace entrepot {

// Targets as their column keeps them, without circuits. corrupt.
std::string targets_text(const std::vector<WebhookTarget>& targets);
Result<std::vector<WebhookTarget>> targets_in(const std::string& text);

// "PUSH_ARTIFACT DELETE_ARTIFACT"
std::string words_text(const std::vector<std::string>& words);
std::vector<std::string> words_in(std::string_view text);

}  // namespace entrepot
