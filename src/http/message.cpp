#include "http/message.hpp"

#include "core/ascii.hpp"

namespace entrepot {

std::optional<std::string_view> Request::header(std::string_view name) const noexcept
{
    for (const auto& field : headers) {
        if (same_word(field.name, name)) return field.value;
    }
    return std::nullopt;
}

std::string Request::header_list(std::string_view name) const
{
    std::string joined;
    for (const auto& field : headers) {
        if (!same_word(field.name, name)) continue;
        if (!joined.empty()) joined += ", ";
        joined += field.value;
    }
    return joined;
}

std::optional<std::string_view> Response::header(std::string_view name) const noexcept
{
    std::string_view lines = headers;
    while (!lines.empty()) {
        const auto line = lines.substr(0, lines.find("\r\n"));
        if (line.starts_with(name) && line.substr(name.size()).starts_with(": ")) return line.substr(name.size() + 2);
        lines.remove_prefix(std::min(line.size() + 2, lines.size()));
    }
    return std::nullopt;
}

Response& Response::add(std::string_view name, std::string_view value)
{
    headers.reserve(headers.size() + name.size() + value.size() + 4);
    headers += name;
    headers += ": ";
    for (const char c : value) {
        const auto code = static_cast<unsigned char>(c);
        headers += code < 0x20 || code == 0x7f ? ' ' : c;
    }
    headers += "\r\n";
    return *this;
}

std::uint64_t Response::body_length() const noexcept
{
    if (const auto* text = std::get_if<std::string>(&body)) return text->size();
    if (const auto* memory = std::get_if<MemoryRange>(&body)) return memory->length;
    if (const auto* file = std::get_if<FileRange>(&body)) return file->length;
    return 0;
}

std::shared_ptr<StreamedBody> Response::stream() const noexcept
{
    const auto* held = std::get_if<std::shared_ptr<StreamedBody>>(&body);
    return held == nullptr ? nullptr : *held;
}

std::shared_ptr<ArrivingBody> Response::arriving() const noexcept
{
    const auto* held = std::get_if<std::shared_ptr<ArrivingBody>>(&body);
    return held == nullptr ? nullptr : *held;
}

}  // namespace entrepot
