#pragma once

namespace entrepot {

inline constexpr const char* version_text = "0.1.0";

}  // namespace entrepot
