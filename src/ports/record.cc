#include "ports/record.h"

#include <array>
#include <utility>

namespace imgproc::ports {
namespace {

using StatusWord = std::pair<RecordStatus, std::string_view>;
constexpr std::array kStatuses{
    StatusWord{RecordStatus::processing, "PROCESSING"}, StatusWord{RecordStatus::ready, "READY"},
    StatusWord{RecordStatus::failed, "FAILED"}, StatusWord{RecordStatus::skipped, "SKIPPED"},
    StatusWord{RecordStatus::deleted, "DELETED"}};

using StateWord = std::pair<RenditionState, std::string_view>;
constexpr std::array kStates{
    StateWord{RenditionState::planned, "PLANNED"}, StateWord{RenditionState::ready, "READY"},
    StateWord{RenditionState::failed, "FAILED"}, StateWord{RenditionState::skipped, "SKIPPED"}};

}  // namespace

std::string_view to_string(RecordStatus value) {
  for (const auto& [known, word] : kStatuses)
    if (known == value) return word;
  return "";
}

std::optional<RecordStatus> record_status_from_string(std::string_view text) {
  for (const auto& [known, word] : kStatuses)
    if (word == text) return known;
  return std::nullopt;
}

std::string_view to_string(RenditionState value) {
  for (const auto& [known, word] : kStates)
    if (known == value) return word;
  return "";
}

std::optional<RenditionState> rendition_state_from_string(std::string_view text) {
  for (const auto& [known, word] : kStates)
    if (word == text) return known;
  return std::nullopt;
}

std::string pad_sequencer(std::string_view sequencer) {
  constexpr std::size_t kWidth = 32;
  if (sequencer.empty()) return {};
  std::string padded(sequencer);
  for (char& c : padded)
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 32);
  if (padded.size() < kWidth) padded.resize(kWidth, '0');
  return padded;
}

}  // namespace imgproc::ports
