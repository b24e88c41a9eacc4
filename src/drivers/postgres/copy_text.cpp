#include "drivers/postgres/copy_text.hpp"

#include <string_view>
#include <utility>

namespace entrepot {

namespace {

constexpr std::string_view signature{"PGCOPY\n\377\r\n\0", 11};

}  // namespace

CopyText::CopyText() : text_{signature}
{
    put(0, 4);  // flags
    put(0, 4);  // the header's extension
}

void CopyText::begin_row(std::size_t fields)
{
    put(fields, 2);
}

void CopyText::add(const StoredValue& value)
{
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        put(8, 4);
        put(static_cast<std::uint64_t>(*number), 8);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
        put(text->size(), 4);
        text_ += *text;
    } else {
        put(0xffffffff, 4);
    }
}

std::string CopyText::take()
{
    put(0xffff, 2);
    return std::move(text_);
}

void CopyText::put(std::uint64_t number, unsigned bytes)
{
    for (unsigned i = bytes; i-- > 0;) text_.push_back(static_cast<char>((number >> (8 * i)) & 0xffU));
}

}  // namespace entrepot
